import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Backend } from '@fastify-balancer/balancer-core'
import { tokenLength, Tokens } from '../../src/sticky/tokens.ts'

const secret = 'the secret of this test'
const named = (id: string) => ({ id, url: 'http://10.0.0.1:3000' }) as Backend
const tokenOf = (id: string, { secrets = [secret], balancer = 'web' } = {}) =>
  new Tokens(secrets, balancer).of(named(id))[0]!

test('a token is the same in every process, for as long as the id, the name and the secret are', () => {
  // Written down once: another value would unbind every client at the next release.
  assert.equal(tokenOf('b'), 'crLpGsTEOOdS6LHP4tmwt88ssiCJB_0JGRYf4858nsQ')
  assert.equal(tokenOf('b'), tokenOf('b'))
})

test('it differs by id, by the name of the balancer and by secret, and one cannot be taken for the other', () => {
  const tokens = [
    tokenOf('a'),
    tokenOf('b'),
    tokenOf('b', { balancer: 'api' }),
    tokenOf('b', { secrets: ['another secret of it'] }),
    // The same letters, divided otherwise.
    tokenOf('bc', { balancer: 'a' }),
    tokenOf('c', { balancer: 'ab' }),
  ]
  assert.equal(new Set(tokens).size, tokens.length)
  for (const token of tokens) assert.match(token, new RegExp(`^[A-Za-z0-9_-]{${tokenLength}}$`))
})

test('nothing of the id or the address is in it', () => {
  const token = tokenOf('http://10.0.0.1:3000')
  assert.doesNotMatch(Buffer.from(token, 'base64url').toString('latin1') + token, /10\.0|3000|http/)
})

test('the first secret makes tokens, and all are known by', () => {
  const tokens = new Tokens([secret, 'an older secret of it'], 'web')
  const backend = named('b')
  const old = tokenOf('b', { secrets: ['an older secret of it'] })
  assert.deepEqual(tokens.of(backend), [tokenOf('b'), old])
  assert.deepEqual(
    [...tokens.among([backend])],
    [
      [tokenOf('b'), backend],
      [old, backend],
    ],
  )
})

test('it is genuine whether or not its backend is known, and nothing else is', () => {
  const tokens = new Tokens([secret, 'an older secret of it'], 'web')
  for (const token of [tokenOf('gone'), tokenOf('gone', { secrets: ['an older secret of it'] })])
    assert.equal(tokens.isGenuine(token), true)
  const [a, b] = [tokenOf('a'), tokenOf('b')]
  const half = (token: string) => Buffer.from(token, 'base64url')
  const mixed = Buffer.concat([half(a).subarray(0, 16), half(b).subarray(16)]).toString('base64url')
  const forged = [
    mixed,
    tokenOf('gone', { balancer: 'api' }),
    tokenOf('gone', { secrets: ['a secret that was removed'] }),
    'A'.repeat(tokenLength),
    '~'.repeat(tokenLength),
    'é'.repeat(tokenLength),
    '',
    a.slice(1),
    `${a}A`,
  ]
  for (const token of forged) assert.equal(tokens.isGenuine(token), false, token)
})

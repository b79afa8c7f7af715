import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOutOfSockets } from '../../src/probe/out-of-sockets.ts'

const failed = (code: string, more: object = {}) =>
  Object.assign(new Error(`connect ${code}`), { syscall: 'connect', code, ...more })
const circle = failed('ECONNRESET')
circle.cause = circle

for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL']) {
  test(`${code} is ours, also deep down`, () => {
    assert.equal(isOutOfSockets(failed(code)), true)
    assert.equal(isOutOfSockets(new AggregateError([failed(code), failed('EMFILE')])), true)
    assert.equal(isOutOfSockets(new TypeError('fetch failed', { cause: failed(code) })), true)
    const nested = new Error('my probe', { cause: new TypeError('fetch failed', { cause: failed(code) }) })
    assert.equal(isOutOfSockets(nested), true)
  })
}

for (const [what, error] of [
  ['a refusal', failed('ECONNREFUSED')],
  ['a reset', failed('ECONNRESET')],
  // As of localhost on a machine without IPv6.
  ['one address that there is not here, and one that refuses', new AggregateError([failed('EADDRNOTAVAIL'), circle])],
  ['no error at all', undefined],
  ['a text', 'EMFILE'],
  ['an error that is its own cause', circle],
] as const) {
  test(`${what} is not`, () => assert.equal(isOutOfSockets(error), false))
}

test('what throws when it is looked at is not', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  assert.equal(isOutOfSockets(proxy), false)
})

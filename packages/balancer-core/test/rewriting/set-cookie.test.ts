import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cookieFor, domainsBy, pathsBy, rewriteCookies, type CookieRewrite } from '../../src/rewriting/set-cookie.ts'

const path = pathsBy({ '/app': '/', '/app/deep/': '/d', '/gone': '' })
const domain = domainsBy({ 'backend.internal': 'example.com', '.host-only.example': '' })

describe('a cookie', () => {
  for (const [given, expected] of [
    ['a=1', 'a=1'],
    ['a=1; Path=/app', 'a=1; Path=/'],
    ['a=1; Path=/app/x', 'a=1; Path=/x'],
    ['a=1; Path=/application', 'a=1; Path=/application'],
    ['a=1; Path=/app/deep/x; HttpOnly', 'a=1; Path=/d/x; HttpOnly'],
    ['a=1;PATH =\t/app/x ;Secure', 'a=1;PATH =\t/x ;Secure'],
    ['a=1; Path=/gone; Secure', 'a=1; Secure'],
    ['a=1; Path=', 'a=1; Path='],
    ['a=1; Path', 'a=1; Path'],
    ['a=1; Path=app', 'a=1; Path=app'],
    ['a=1; path=/app; Path=/app/x', 'a=1; path=/; Path=/x'],
    // The value is no attribute, whatever it looks like.
    ['Path=/app; Path=/app', 'Path=/app; Path=/'],
    ['a="x Path=/app"; Path=/app', 'a="x Path=/app"; Path=/'],
    ['a=1; XPath=/app; Path-X=/app', 'a=1; XPath=/app; Path-X=/app'],
    ['a=1; Domain=.Backend.Internal; Max-Age=5', 'a=1; Domain=example.com; Max-Age=5'],
    ['a=1; domain=host-only.example', 'a=1'],
    ['a=1; Domain=x.backend.internal', 'a=1; Domain=x.backend.internal'],
    ['__Host-a=1; Path=/app; Secure', '__Host-a=1; Path=/app; Secure'],
    ['__Secure-a=1; Path=/app; Secure', '__Secure-a=1; Path=/; Secure'],
    [';;a=1; ;Path=/app;;', ';;a=1; ;Path=/;;'],
    ['', ''],
  ] as const)
    test(JSON.stringify(given), () => assert.equal(cookieFor(given, { path, domain }), expected))
})

test('* is for all others, and text for every domain', () => {
  assert.equal(pathsBy({ '/app': '/', '*': '/rest' })('/x'), '/rest')
  assert.equal(pathsBy({ '/': '/app' })('/x'), '/app/x')
  assert.equal(domainsBy({ a: 'b', '*': '' })('x'), '')
  assert.equal(domainsBy('example.com')('x'), 'example.com')
})

test('every cookie of a response, and no other header', () => {
  const headers = { 'set-cookie': ['a=1; Path=/app', 'b=2; Path=/x'], location: '/app' }
  rewriteCookies(headers, { path })
  assert.deepEqual(headers, { 'set-cookie': ['a=1; Path=/', 'b=2; Path=/x'], location: '/app' })
})

test('whatever is set, only values of Path and Domain change', () => {
  let state = 11
  const next = (below: number) => ((state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) >> 8) % below
  const pieces = [
    'a=1',
    'Path',
    'Path=/app',
    'path = /app/x ',
    '=',
    ' ',
    '',
    'Domain=x',
    'Expires=Thu, 01 Jan',
    '"',
    '\u00e4=;',
    'PATH==',
  ]
  const marked: CookieRewrite = { path: () => '/PPP', domain: () => 'DDD' }
  for (let round = 0; round < 5000; round++) {
    const cookie = Array.from({ length: next(6) }, () => pieces[next(pieces.length)]).join(';')
    const made = cookieFor(cookie, marked).split(';')
    const given = cookie.split(';')
    assert.equal(made.length, given.length)
    for (const [index, one] of made.entries()) {
      if (one === given[index]) continue
      assert.notEqual(index, 0)
      const [, name, value] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(one)!
      assert.deepEqual(
        [name!.toLowerCase(), value],
        name!.toLowerCase() === 'path' ? ['path', '/PPP'] : ['domain', 'DDD'],
      )
    }
  }
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { followLocations } from '../../src/rewriting/location-fields.ts'
import { cookiePathFor, referenceFor, type TwoViews } from '../../src/rewriting/own-addresses.ts'

const stripped: TwoViews = {
  outer: '/api',
  inner: '',
  clientScheme: 'https',
  backendScheme: 'http',
  clientAuthorities: ['example.com'],
  backendAuthorities: ['10.0.0.1:3000', 'app.internal'],
}
const based: TwoViews = { ...stripped, outer: '', inner: '/base' }

function cases(views: TwoViews, all: readonly (readonly [string, string])[]): void {
  for (const [given, expected] of all)
    test(`${given} -> ${expected}`, () => assert.equal(referenceFor(given, views), expected))
}

describe('a reference from a backend whose prefix is removed', () => {
  cases(stripped, [
    ['/x?y=/z#f', '/api/x?y=/z#f'],
    ['/', '/api/'],
    ['/api/x', '/api/api/x'],
    ['http://10.0.0.1:3000/x', '/api/x'],
    ['http://10.0.0.1:3000', '/api/'],
    ['http://10.0.0.1:3000?q', '/api/?q'],
    ['HTTP://APP.internal/x', '/api/x'],
    ['http://app.internal:80/x', '/api/x'],
    ['//10.0.0.1:3000/x', '/api/x'],
    // The client's own scheme, as the backend was told it by X-Forwarded-Proto.
    ['https://10.0.0.1:3000/x', '/api/x'],
    // Its own host as the client has it: the scheme may be the very reason.
    ['https://example.com/x', 'https://example.com/api/x'],
    ['http://example.com/x', 'http://example.com/api/x'],
    ['https://user@10.0.0.1:3000/x', '/api/x'],
    ['/../x', '/api/x'],
    ['/a/./b/../c/', '/api/a/c/'],
    ['//evil.example/x', '//evil.example/x'],
    ['http://evil.example/x', 'http://evil.example/x'],
    ['http://10.0.0.1:3001/x', 'http://10.0.0.1:3001/x'],
    ['http://10.0.0.1:3000.evil.example/x', 'http://10.0.0.1:3000.evil.example/x'],
    ['http://10.0.0.1:3000@evil.example/x', 'http://10.0.0.1:3000@evil.example/x'],
    ['x', 'x'],
    ['../x', '../x'],
    ['?q', '?q'],
    ['', ''],
    ['mailto:a@b', 'mailto:a@b'],
  ])
})

describe('a reference from a backend with a prefix of its own', () => {
  cases(based, [
    ['/base/x', '/x'],
    ['/base', '/'],
    ['/base?q', '/?q'],
    ['/base/', '/'],
    // Clients have no path for these; but the address stays unknown to them.
    ['/basement', '/basement'],
    ['/base/../x', '/base/../x'],
    ['http://10.0.0.1:3000/other', '/other'],
    // Not to another server, neither by the RFC nor for browsers.
    ['/base//evil.example', '/.//evil.example'],
    ['/base/\\evil.example', '/./\\evil.example'],
    ['/base/\t/evil.example', '/./\t/evil.example'],
    ['http://10.0.0.1:3000//evil.example', '/.//evil.example'],
    ['http://10.0.0.1:3000\\evil.example', '/./\\evil.example'],
  ])
})

test('a scheme that neither side has is kept: with another one, the redirect would lead to itself', () => {
  const views: TwoViews = { ...stripped, clientScheme: 'http' }
  assert.equal(referenceFor('https://10.0.0.1:3000/x', views), 'https://example.com/api/x')
  assert.equal(referenceFor('https://10.0.0.1:3000/x', { ...views, clientAuthorities: [''] }), '/api/x')
})

test('Refresh is read as browsers read it', () => {
  for (const [given, expected] of [
    ['5; url=/x', '5; url=/api/x'],
    ['5;URL = "http://10.0.0.1:3000/x"; more', '5;URL = "/api/x"; more'],
    ["0,url='/x'", "0,url='/api/x'"],
    ["0;url='/x", "0;url='/api/x"],
    ['1.5 /x', '1.5 /api/x'],
    ['5', '5'],
    ['soon; url=/x', 'soon; url=/x'],
  ] as const) {
    const headers = { refresh: given }
    followLocations(headers, stripped)
    assert.equal(headers.refresh, expected)
  }
  const started = process.cpuUsage()
  followLocations({ refresh: `5${' '.repeat(16_000)}`, location: '/.'.repeat(8000) }, stripped)
  assert.ok(process.cpuUsage(started).user < 1_000_000)
})

test('the path of a cookie is for the prefix itself, too', () => {
  for (const [given, expected] of [
    ['/', '/api'],
    ['/x', '/api/x'],
    ['/x/', '/api/x/'],
  ] as const)
    assert.equal(cookiePathFor(given, stripped), expected)
  assert.deepEqual(
    ['/base', '/base/', '/base/x', '/other'].map((path) => cookiePathFor(path, based)),
    ['/', '/', '/x', '/other'],
  )
})

test('no client writes an attribute of a cookie, such as a domain, by the prefix that it chooses', () => {
  const views = { ...stripped, outer: '/a;Domain=example.com;b' }
  assert.equal(cookiePathFor('/', views), '/a%3BDomain=example.com%3Bb')
  assert.equal(cookiePathFor('/x', views), '/a%3BDomain=example.com%3Bb/x')
})

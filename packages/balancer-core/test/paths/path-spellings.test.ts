import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asRouted, hasDotSegments, spellingsOf } from '../../src/paths/path-spellings.ts'

describe('a path has dot segments', () => {
  for (const path of [
    '/..',
    '/.',
    '/a/..',
    '/a/../b',
    '/a/./b',
    '/a/.',
    '/%2e%2e/b',
    '/a/%2E%2e',
    '/a/.%2e/b',
    '/a/%2E./b',
    '/a/%2e/b',
    '..',
    // Whoever parses it as a URL takes a backslash for a slash (WHATWG URL §4.4).
    '/a/..\\b',
    '/a\\..\\b',
    '/a\\../b',
    '/a\\..',
    // So may a backend that decodes too early.
    '/a/..%2fb',
    '/a%2F../b',
    '/a%2f..%2fb',
    '/a/..%5cb',
    '/a%5C..',
    '/a/%2e%2e%2fb',
    // Or one that decodes twice, or more often than anybody would encode.
    '/a/%252e%252e/b',
    '/a/..%252fb',
    '/a/%25252525252e/b',
    '/a/%25252525252525b',
    // Or one that drops parameters (Tomcat), or ends at NUL (what is written in C), or decodes what splits a URL.
    '/a/..;/b',
    '/a/..;x=y/b',
    '/a/..%3bx/b',
    '/a/..%00/b',
    '/a/..%00.png',
    '/a/..%3f',
    '/a/..%23x/b',
    '/a/.;',
    // Or trims (Windows), or takes overlong UTF-8 (old Java), or IIS's own escapes.
    '/a/..%20/b',
    '/a/%20../b',
    '/a/.%09./b',
    '/a/%c0%ae%c0%ae/b',
    '/a/%C0%AE./b',
    '/a/%e0%80%ae%e0%80%ae/b',
    '/a/%f0%80%80%ae./b',
    '/a/..%c0%afb',
    '/a/..%c1%9cb',
    '/a/%u002e%u002e/b',
  ]) {
    test(path, () => assert.equal(hasDotSegments(path), true))
  }
})

describe('a path has none', () => {
  for (const path of [
    '/',
    '/a',
    '/a/...',
    '/.../b',
    '/.well-known/acme',
    '/..a/b',
    '/a../b',
    '/a.b/c.',
    '/a/.b',
    '/a/%2e%2e%2e/b',
    '/a/%2eb',
    '/a%2fb%5cc',
    '/a%2f.b',
    '/a\\b.',
    '/a/;../b',
    '/a/%3b..',
    '/a/%00x..',
    '/a/%c3%ae%c3%ae/b',
    '',
  ]) {
    test(path, () => assert.equal(hasDotSegments(path), false))
  }
})

const plainRouter = { mergesSlashes: false, cutsAtSemicolon: false }
const spelled = (path: string, habits = plainRouter) => [...spellingsOf(path, habits)].sort()

describe('what a path may mean', () => {
  for (const [path, ...meanings] of [
    ['/a'],
    ['/A/b/'],
    ['/a%20b', '/a b'],
    ['/%61', '/a'],
    ['/a//b', '/a/b', '/a//b'],
    ['/a./b. .', '/a/b', '/a./b. .'],
    ['/a.b/..c', '/a.b/..c'],
    ['/a%2fb', '/a%2fb', '/a/b'],
    ['/a%252fb', '/a%252fb', '/a%2fb', '/a/b'],
    ['/%2561', '/%2561', '/%61', '/a'],
    ['/a;b/c', '/a/c', '/a;b/c'],
    ['/a%00b', '/a', '/a\0b'],
    ['/a%3fb', '/a', '/a%3fb', '/a?b'],
    ['/a\\b', '/a/b', '/a\\b'],
    ['/caf%C3%A9', '/caf\u00c3\u00a9'],
    ['/caf%E9', '/caf\u00e9'],
    ['/%c1%a1', '/a', '/\u00c1\u00a1'],
  ] as const) {
    test(path, () => assert.deepEqual(spelled(path), meanings.length === 0 ? [path] : [...meanings].sort()))
  }

  test('what the router takes for one is one', () => {
    assert.deepEqual(spelled('/a//b', { ...plainRouter, mergesSlashes: true }), ['/a/b'])
    assert.deepEqual(spelled('/a;b', { ...plainRouter, cutsAtSemicolon: true }), ['/a'])
    // Others only drop the parameter of that one segment.
    assert.deepEqual(spelled('/a;b/c', { ...plainRouter, cutsAtSemicolon: true }), ['/a', '/a/c'])
  })

  test('is not more than can be looked at, whatever it is made of', () => {
    const nasty = '/a%2fb%5cc;d%253be%00f%3fg//h%252520'.repeat(200)
    assert.ok(spellingsOf(nasty, plainRouter).size <= 9 * 32)
  })
})

test('the router decodes what is not reserved, as bytes here', () => {
  assert.equal(asRouted('/%61%2f%3F%25%20%c3%a9?'), '/a%2f%3F%25 \u00c3\u00a9?')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IncomingFields } from '../../src/headers/fields.ts'
import { responseHeaders, type ResponseRules } from '../../src/response/response-headers.ts'

/** What is answered, each field as `name: value`. */
function answered(headers: IncomingFields, rules: Partial<ResponseRules> = {}): string[] {
  const flat = responseHeaders(headers, { status: 200, bodyless: false, chunks: true, via: false, own: {}, ...rules })
  assert.equal(flat.length % 2, 0)
  return flat.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${flat[index + 1]}`] : []))
}

test('what the backend says crosses, with repetitions', () => {
  assert.deepEqual(
    answered({ 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'], 'x-empty': '', etag: '"x"' }),
    ['content-type: text/plain', 'set-cookie: a=1', 'set-cookie: b=2', 'x-empty: ', 'etag: "x"'],
  )
})

test('hop-by-hop fields, and those that Connection nominates, do not', () => {
  assert.deepEqual(
    answered({
      connection: 'keep-alive, X-Secret',
      'keep-alive': 'timeout=5',
      'proxy-authenticate': 'Basic',
      'proxy-connection': 'keep-alive',
      te: 'trailers',
      'transfer-encoding': 'chunked',
      upgrade: 'h2c',
      'x-secret': '1',
      'x-public': '2',
    }),
    ['x-public: 2'],
  )
})

test('trailers are announced only where they can follow', () => {
  assert.deepEqual(answered({ trailer: 'x-sum' }), ['trailer: x-sum'])
  assert.deepEqual(answered({ trailer: 'x-sum', 'content-length': '5' }), ['content-length: 5'])
  assert.deepEqual(answered({ trailer: 'x-sum' }, { bodyless: true }), [])
  assert.deepEqual(answered({ trailer: 'x-sum' }, { chunks: false }), [])
})

test('the length crosses also without a body, except with 204', () => {
  assert.deepEqual(answered({ 'content-length': '5' }), ['content-length: 5'])
  assert.deepEqual(answered({ 'content-length': '5' }, { bodyless: true }), ['content-length: 5'])
  assert.deepEqual(answered({ 'content-length': '5' }, { bodyless: true, status: 304 }), ['content-length: 5'])
  assert.deepEqual(answered({ 'content-length': '5' }, { bodyless: true, status: 204 }), [])
})

test("what the app's plugins have set wins", () => {
  assert.deepEqual(
    answered(
      { 'x-frame-options': 'ALLOW', 'access-control-allow-origin': '*', a: '1' },
      { own: { 'x-frame-options': 'DENY', 'access-control-allow-origin': 'https://a.test', 'x-ratelimit-limit': 10 } },
    ),
    ['a: 1', 'x-frame-options: DENY', 'access-control-allow-origin: https://a.test', 'x-ratelimit-limit: 10'],
  )
})

test('where both can stand, both do', () => {
  assert.deepEqual(
    answered(
      { 'set-cookie': ['a=1', 'b=2'], vary: 'accept', link: '</a>', 'server-timing': 'db' },
      { own: { 'set-cookie': ['c=3', 'd=4'], vary: 'origin', link: '</b>', 'server-timing': 'app' } },
    ),
    [
      'set-cookie: a=1',
      'set-cookie: b=2',
      'vary: accept',
      'link: </a>',
      'server-timing: db',
      'set-cookie: c=3',
      'set-cookie: d=4',
      'vary: origin',
      'link: </b>',
      'server-timing: app',
    ],
  )
})

test('via is added behind the others', () => {
  assert.deepEqual(answered({ a: '1', via: '1.1 b' }, { via: true }), [
    'a: 1',
    'via: 1.1 b',
    'via: 1.1 fastify-balancer',
  ])
})

test('a field named like a method of objects is a field', () => {
  const fields = { __proto__: null, constructor: 'a', tostring: 'b', hasownproperty: 'c' } as unknown as IncomingFields
  assert.deepEqual(answered(fields), ['constructor: a', 'tostring: b', 'hasownproperty: c'])
})

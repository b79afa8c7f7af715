import type { PickRequest } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyFaults, type KeyOption } from '../../src/keys/key-option.ts'
import { KeyReader } from '../../src/keys/key-reader.ts'

const asking = (request: Partial<PickRequest>): PickRequest => ({ method: 'GET', url: '/', headers: {}, ...request })

const keyOf = (option: KeyOption, request: Partial<PickRequest>) => new KeyReader(option).keyOf(asking(request))

test('a header, whatever the case of its name; several are one, with commas', () => {
  assert.equal(keyOf({ header: 'X-User' }, { headers: { 'x-user': 'anna' } }), 'anna')
  assert.equal(keyOf({ header: 'x-user' }, { headers: { 'x-user': ['a', 'b'] } }), 'a, b')
  assert.equal(keyOf({ header: 'x-user' }, { headers: { 'x-user': '' } }), undefined)
  assert.equal(keyOf({ header: 'x-user' }, {}), undefined)
})

test('the host, also of HTTP/2', () => {
  assert.equal(keyOf({ header: 'host' }, { headers: { host: 'a.example' } }), 'a.example')
  assert.equal(keyOf({ header: 'Host' }, { headers: { ':authority': 'a.example' } }), 'a.example')
})

test('a cookie: the first of that name, as it was sent', () => {
  const cookie = (header: string) => keyOf({ cookie: 'sid' }, { headers: { cookie: header } })
  assert.equal(cookie('sid=a'), 'a')
  assert.equal(cookie('x=1; sid=a%20b; sid=c'), 'a%20b')
  assert.equal(cookie('xsid=1;sid="q" ;y=2'), '"q"')
  assert.equal(cookie('SID=1; other=sid=2'), undefined)
  assert.equal(cookie('sid; sid=a'), 'a')
  assert.equal(cookie('sid='), undefined)
  assert.equal(cookie('sid=; sid=a'), undefined)
  assert.equal(keyOf({ cookie: 'sid' }, {}), undefined)
})

test('a parameter of the query: the first of that name, not decoded', () => {
  const query = (url: string) => keyOf({ query: 'user' }, { url })
  assert.equal(query('/?user=a'), 'a')
  assert.equal(query('/x?b=1&user=a%20b&user=c'), 'a%20b')
  assert.equal(query('/user=1?xuser=2&user=3#user=4'), '3')
  assert.equal(query('/?user=&user=a'), undefined)
  assert.equal(query('/?user'), undefined)
  assert.equal(query('/?User=a'), undefined)
  assert.equal(query('/'), undefined)
  assert.equal(query('/#?user=a'), undefined)
})

test('the path without the query, or its first segments', () => {
  const path = (count: true | number, url: string) => keyOf({ path: count }, { url })
  assert.equal(path(true, '/a/%41/?x=/y'), '/a/%41/')
  assert.equal(path(true, 'http://a.example/b/c?d'), '/b/c')
  assert.equal(path(true, 'http://a.example'), undefined)
  assert.equal(path(2, '/a/b/c/d?e'), '/a/b')
  assert.equal(path(2, '/a/b/'), '/a/b')
  assert.equal(path(2, '/a/b'), '/a/b')
  assert.equal(path(3, '/a'), '/a')
  assert.equal(path(1, '/'), '/')
  assert.equal(path(1, '//a'), '/')
})

test("the client's address, as it is meant, or so many of its bits", () => {
  const address = (option: true | { v4?: number; v6?: number }, text: string) =>
    keyOf({ address: option }, { address: text })
  assert.equal(address(true, '192.0.2.7'), '192.0.2.7')
  assert.equal(address(true, '::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(address(true, '2001:DB8::1'), address(true, '2001:db8:0:0:0:0:0:1'))
  assert.notEqual(address(true, '2001:db8::1'), address(true, '2001:db8::2'))
  assert.notEqual(address(true, '2001:db8::1'), address(true, '2001:db8:1::'))
  assert.equal(address(true, 'fe80::1%eth0'), address(true, 'fe80::1'))
  assert.equal(address({ v4: 24 }, '192.0.2.7'), address({ v4: 24 }, '192.0.2.250'))
  assert.equal(address({ v4: 24 }, '192.0.2.7'), address({ v4: 24 }, '::ffff:192.0.2.9'))
  assert.notEqual(address({ v4: 24 }, '192.0.2.7'), address({ v4: 24 }, '192.0.3.7'))
  assert.notEqual(address({ v4: 31 }, '192.0.2.7'), address({ v4: 31 }, '192.0.2.8'))
  assert.equal(address({ v6: 56 }, '2001:db8:1:2ff::1'), address({ v6: 56 }, '2001:db8:1:200:a::'))
  assert.notEqual(address({ v6: 56 }, '2001:db8:1:2ff::1'), address({ v6: 56 }, '2001:db8:1:3ff::1'))
  assert.equal(address({ v6: 56 }, '192.0.2.7'), '192.0.2.7')
  for (const odd of ['not:an:address', ':::', '1:2', 'unknown']) assert.equal(address(true, odd), odd)
  assert.equal(keyOf({ address: true }, {}), undefined)
})

test('the first bytes of a body', () => {
  const body = (count: true | number, text: string) => keyOf({ body: count }, { body: Buffer.from(text) })
  assert.equal(body(4, 'prompt'), 'prom')
  assert.equal(body(400, 'prompt'), 'prompt')
  assert.equal(body(true, 'x'.repeat(5000)), 'x'.repeat(1024))
  assert.equal(body(2, 'é'), '\xc3\xa9')
  assert.equal(body(4, ''), undefined)
  assert.equal(keyOf({ body: true }, {}), undefined)
})

test('a function, and what it answers that is no key', () => {
  assert.equal(
    keyOf(({ url }) => url.slice(1), { url: '/日' }),
    '\xe6\x97\xa5',
  )
  for (const none of [undefined, '', 5, null])
    assert.equal(
      keyOf(() => none as never, {}),
      undefined,
    )
})

test('a function that throws: no key, and one warning', (t) => {
  const warnings = t.mock.method(process, 'emitWarning', () => {})
  const reader = new KeyReader(() => {
    throw new Error('no session')
  })
  assert.equal(reader.keyOf(asking({})), undefined)
  assert.equal(reader.keyOf(asking({})), undefined)
  assert.deepEqual(
    warnings.mock.calls.map(({ arguments: [text] }) => text as unknown),
    ["the function of a policy's `key` threw: Error: no session"],
  )
})

test('of a list, the first that the request has', () => {
  const option: KeyOption = [{ header: 'x-session-id' }, { cookie: 'sid' }, () => undefined, { body: 3 }]
  const reader = new KeyReader(option)
  const told = (request: Partial<PickRequest>) => [reader.keyOf(asking(request)), reader.nameOf(asking(request))]
  assert.deepEqual(told({ headers: { 'x-session-id': '1', cookie: 'sid=2' } }), ['1', 'header x-session-id'])
  assert.deepEqual(told({ headers: { 'x-session-id': '', cookie: 'sid=2' } }), ['2', 'cookie sid'])
  assert.deepEqual(told({ body: Buffer.from('abcd') }), ['abc', 'body, 3 bytes'])
  assert.deepEqual(told({}), [undefined, undefined])
})

test('what the setting takes', () => {
  const rightOnes = [
    { header: 'a' },
    { address: {} },
    { path: 2 },
    { body: true },
    () => 'x',
    [{ query: 'q' }, () => 'x'],
  ]
  for (const right of rightOnes) assert.deepEqual(keyFaults(right as KeyOption), [])
  const wrongOnes: unknown[] = ['x', 5, [], [{}], { headers: 'a' }, { header: 'a', cookie: 'b' }, [['x']]]
  for (const wrong of wrongOnes) assert.match(keyFaults(wrong as never).join(), /^key: expected \{ header \| cookie \|/)
})

test('what is wrong with a part of the setting is said where it stands', () => {
  for (const [wrong, fault] of [
    [{ header: '' }, 'key.header: expected a string that is not empty, got a string'],
    [{ path: 0 }, 'key.path: expected true or a whole number of at least 1, got 0'],
    [{ address: { v4: 33 } }, 'key.address.v4: expected a whole number from 1 to 32, got 33'],
    [{ address: { v4: 0 } }, 'key.address.v4: expected a whole number from 1 to 32, got 0'],
    [{ body: 70_000 }, 'key.body: expected true or a whole number from 1 to 65536, got 70000'],
  ] as const)
    assert.deepEqual(keyFaults(wrong as KeyOption), [fault])
})

import { faultsOf } from '@fastify-balancer/option-schema'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ActiveOptions, type GivenActiveOptions } from '../../src/active/active-options.ts'
import { probeFaults } from '../../src/probe/probe-options.ts'
import { optionsOf } from './asking.ts'

/** All faults of it, as the plugin looks for them. */
function faults(given: GivenActiveOptions): string[] {
  const options = optionsOf(given)
  const plain = faultsOf(ActiveOptions, options)
  return plain.length > 0 ? plain : probeFaults(options)
}

test('the defaults are sound, and what the README says', () => {
  assert.deepEqual(faults({}), [])
  assert.deepEqual(optionsOf(), {
    type: 'http',
    service: '',
    method: 'HEAD',
    path: '/',
    headers: {},
    expect: {},
    interval: 5000,
    timeout: 2000,
    rise: 2,
    fall: 3,
    jitter: 0.1,
    initial: 'probe',
    admit: 'healthy',
  })
})

describe('faults', () => {
  const wrong: readonly [what: string, given: object, fault: RegExp][] = [
    [
      'a body with HEAD',
      { expect: { body: 'ok' } },
      /^expect\.body: a response to HEAD has no body; use method 'GET'$/,
    ],
    ['a body with head', { method: 'head', expect: { body: /ok/ } }, /^expect\.body: a response to HEAD/],
    ['a service over HTTP', { service: 'shop.Cart' }, /^service: needs type 'grpc'$/],
    ['a body of TCP', { type: 'tcp', method: 'GET', expect: { body: 'ok' } }, /^expect\.body: needs type 'http'$/],
    [
      'a body that is neither',
      { method: 'GET', expect: { body: 7 } },
      /^expect\.body: expected a string or a RegExp, got 7$/,
    ],
    ['a range reversed', { expect: { statuses: [200, '399-200'] } }, /^expect\.statuses\.1: 399-200 begins after/],
    ['a range of nonsense', { expect: { statuses: ['2xx'] } }, /^expect\.statuses\.0: /],
    ['no status at all', { expect: { statuses: [] } }, /^expect\.statuses: /],
    ['a method of two words', { method: 'GET /' }, /^method: /],
    ['CONNECT', { method: 'CONNECT' }, /^method: CONNECT/],
    ['a path with a space', { path: '/a b' }, /^path: /],
    ['a path with a fragment', { path: '/a#b' }, /^path: /],
    ['a path without a slash', { path: 'a' }, /^path: /],
    ['a host with a line break', { host: 'a\r\nb: c' }, /^host: /],
    ['a host header', { headers: { Host: 'a' } }, /^headers\.Host: may not be set: use the option host$/],
    ['a length', { headers: { 'Content-Length': '3' } }, /^headers\.Content-Length: may not be set/],
    ['a header with a space in its name', { headers: { 'a b': 'c' } }, /^headers\.a b: is not a valid header$/],
    ['a value with a line break', { headers: { a: 'geheim\r\nb: c' } }, /^headers\.a: is not a valid header$/],
    ['an interval of 0', { interval: 0 }, /^interval: /],
    ['a timeout of 0', { timeout: 0 }, /^timeout: /],
    ['a fast interval of 0', { fastInterval: 0 }, /^fastInterval: /],
    ['an interval of 0 while it is out', { downInterval: 0 }, /^downInterval: /],
    ['a rise of 0', { rise: 0 }, /^rise: /],
    ['a jitter above 1', { jitter: 1.1 }, /^jitter: /],
    ['a port out of range', { port: 65_536 }, /^port: /],
    ['a probe that is no function', { probe: 'curl' }, /^probe: expected a function, got a string$/],
    ['a misspelt expectation', { expect: { status: [200] } }, /^expect\.status: /],
  ]
  for (const [what, given, fault] of wrong) {
    test(what, () => {
      const found = faults(given)
      assert.equal(found.length, 1, found.join('; '))
      assert.match(found[0]!, fault)
    })
  }

  test('none of them shows the value of a header', () => {
    assert.doesNotMatch(faults({ headers: { a: 'geheim\r\n', host: 'geheim' } }).join(), /geheim/)
  })
})

test('a body with GET, and a body of a probe of TLS ports, are no faults', () => {
  assert.deepEqual(faults({ method: 'GET', expect: { body: /ok/ }, port: 8443, host: 'a.test', downInterval: 1 }), [])
})

import { failures, type Attempt, type Backend, type ExchangeView } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attemptAttributes } from '../../src/tracing/attempt-attributes.ts'
import { endAttributes, type Ending } from '../../src/tracing/ending.ts'
import { methodName, pathOf, requestAttributes } from '../../src/tracing/request-attributes.ts'

describe('the path of a request', () => {
  for (const [url, path] of [
    ['/', '/'],
    ['/a/b?token=secret', '/a/b'],
    ['/a?b?c', '/a'],
    ['/a%3Fb#c', '/a%3Fb'],
    ['/a?b\n/c', '/a'],
    ['*', '*'],
    ['http://user:secret@a.test/b/c?d', '/b/c'],
    ['HTTP://a.test', '/'],
    ['http://user:secret@a.test?d', '/'],
    ['user:secret@a.test', '/'],
    ['', '/'],
  ] as const)
    test(`${JSON.stringify(url)} is ${path}`, () => assert.equal(pathOf(url), path))
})

const request = (httpVersion: string, protocol = 'http') => ({
  raw: { httpVersion, httpVersionMajor: Number(httpVersion[0]) },
  protocol,
})

test('a method that is not of the standard is no name of a span', () => {
  const exchange = { request: request('2.0', 'https'), method: 'PROPFIND', url: '/a', balancerName: 'shop' }
  assert.equal(methodName('PROPFIND'), 'HTTP')
  assert.equal(methodName('PATCH'), 'PATCH')
  assert.deepEqual(requestAttributes(exchange as unknown as ExchangeView), {
    'http.request.method': '_OTHER',
    'http.request.method_original': 'PROPFIND',
    'url.path': '/a',
    'url.scheme': 'https',
    'network.protocol.version': '2',
    'fastify_balancer.balancer': 'shop',
  })
})

test('a scheme that somebody has made up is not written', () => {
  const exchange = { request: request('1.0', 'secret'), method: 'GET', url: '/', balancerName: 'shop' }
  const attributes = requestAttributes(exchange as unknown as ExchangeView)
  assert.deepEqual([attributes['url.scheme'], attributes['network.protocol.version']], ['http', '1.0'])
})

for (const [url, scheme, port] of [
  ['http://a.test', 'http', 80],
  ['https://a.test', 'https', 443],
  ['https://a.test:8443', 'https', 8443],
] as const)
  test(`where ${url} is`, () => {
    const backend = { id: 'a', url, origin: url, hostname: 'a.test' } as Backend
    const attributes = attemptAttributes({ exchange: { method: 'GET' }, backend, number: 1 } as Attempt)
    assert.deepEqual(
      [attributes['url.scheme'], attributes['server.address'], attributes['server.port']],
      [scheme, 'a.test', port],
    )
  })

test('a Unix socket has a path and no port', () => {
  const backend = { id: 'a', origin: 'http://localhost', socketPath: '/run/a.sock', hostname: 'localhost' } as Backend
  const attributes = attemptAttributes({ exchange: { method: 'GET' }, backend, number: 1 } as Attempt)
  assert.equal(attributes['server.address'], '/run/a.sock')
  assert.ok(!('server.port' in attributes))
})

test('an attempt beside a slow one says so', () => {
  const backend = { origin: 'http://a.test', hostname: 'a.test', id: 'a' } as Backend
  const markOf = (hedge: boolean) =>
    attemptAttributes({ exchange: { method: 'GET' }, backend, number: 2, hedge } as Attempt)['fastify_balancer.hedge']
  assert.deepEqual([markOf(true), markOf(false)], [true, undefined])
})

test('what is an error', () => {
  const errorOf = (
    ...[outcome, status, firstError, grpcStatus]: [Ending['outcome'], number, 400 | 500, Ending['grpcStatus']?]
  ) =>
    endAttributes(
      { outcome, blame: outcome === 'ok' ? undefined : failures[outcome].blame, status, grpcStatus },
      firstError,
    )['error.type']
  assert.equal(errorOf('ok', 499, 500), undefined)
  assert.equal(errorOf('ok', 400, 400), '400')
  assert.equal(errorOf('ok', 500, 500), '500')
  assert.equal(errorOf('headers-timeout', 0, 500), 'headers-timeout')
  assert.equal(errorOf('request-timeout', 504, 500), 'request-timeout')
  for (const outcome of ['bad-request', 'client-gone', 'client-stalled'] as const)
    assert.equal(errorOf(outcome, 400, 500), undefined)
  assert.equal(errorOf('client-gone', 503, 500), '503')
  assert.equal(errorOf('hedge-lost', 0, 400), undefined)
  assert.equal(errorOf('ok', 200, 500, 'UNAVAILABLE'), 'UNAVAILABLE')
  assert.equal(errorOf('ok', 200, 500, 'NOT_FOUND'), undefined)
  assert.equal(errorOf('ok', 200, 400, 'NOT_FOUND'), 'NOT_FOUND')
  assert.equal(errorOf('ok', 200, 400, 'OK'), undefined)
})

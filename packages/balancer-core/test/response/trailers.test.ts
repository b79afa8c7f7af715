import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { IncomingFields } from '../../src/headers/fields.ts'
import { addTrailers } from '../../src/response/trailers.ts'

/** What is passed on, or undefined if nothing is. */
function passed(trailers: IncomingFields): unknown {
  let added: unknown
  addTrailers({ addTrailers: (pairs: unknown) => (added = pairs) } as unknown as ServerResponse, trailers)
  return added
}

test('trailers are passed on, with repetitions', () => {
  assert.deepEqual(passed({ 'x-sum': 'abc', 'grpc-status': '0', 'x-list': ['1', '2'], 'x-empty': '' }), [
    ['x-sum', 'abc'],
    ['grpc-status', '0'],
    ['x-list', '1'],
    ['x-list', '2'],
    ['x-empty', ''],
  ])
})

test('what must not come late is dropped, and so is what concerns only one connection', () => {
  for (const name of [
    'content-length',
    'transfer-encoding',
    'host',
    'trailer',
    'content-encoding',
    'content-type',
    'content-range',
    'set-cookie',
    'cache-control',
    'authorization',
    'connection',
    'te',
    'upgrade',
  ]) {
    assert.equal(passed({ [name]: 'x' }), undefined, name)
    assert.deepEqual(passed({ [name]: 'x', 'x-sum': 'abc' }), [['x-sum', 'abc']], name)
  }
})

test('where there are none, none are added', () => {
  assert.equal(passed({}), undefined)
})

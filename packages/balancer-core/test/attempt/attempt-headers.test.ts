import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Attempt, type AttemptOwner } from '../../src/attempt/attempt.ts'
import { withHeader, type AttemptRequest } from '../../src/attempt/attempt-headers.ts'
import type { Backend } from '../../src/backends/backend.ts'
import type { RequestPool } from '../../src/connections/request-pool.ts'

const shared = Object.freeze(['Host', 'a.test', 'X-Own', 'one', 'accept', '*/*', 'x-own', 'two']) as string[]

describe('a field for one attempt', () => {
  test('takes the place of all of its name, whatever their case', () => {
    assert.deepEqual(withHeader(shared, 'x-OWN', 'mine'), ['Host', 'a.test', 'accept', '*/*', 'x-OWN', 'mine'])
    assert.deepEqual(withHeader(shared, 'x-new', ''), [...shared, 'x-new', ''])
  })

  test('is left out with undefined, and costs no copy where it is not', () => {
    assert.deepEqual(withHeader(shared, 'X-Own', undefined), ['Host', 'a.test', 'accept', '*/*'])
    assert.equal(withHeader(shared, 'x-other', undefined), shared)
  })

  test('a value is never taken for a name', () => {
    assert.deepEqual(withHeader(['a', 'b', 'c', 'd'], 'b', 'new'), ['a', 'b', 'c', 'd', 'b', 'new'])
    assert.equal(withHeader(['a', 'b'], 'B', undefined).length, 2)
  })

  for (const [name, value] of [
    ['x-own', 'a\r\nx-other: b'],
    ['x-own', 'a\nb'],
    ['x-own', 'a\0b'],
    ['x-own', 'Ω'],
    ['x own', 'a'],
    ['x-own\r\n', 'a'],
    [':path', '/'],
    ['', 'a'],
    ['x-own', 5],
    ['x-own', null],
    ['x-own', ['a', 'b']],
    [5, 'a'],
  ] as const)
    test(`cannot be ${JSON.stringify(name)}: ${JSON.stringify(value)}`, () => {
      assert.throws(() => withHeader(shared, name as string, value as string), TypeError)
    })

  for (const name of [
    'Host',
    'Content-Length',
    'Expect',
    'Trailer',
    'Connection',
    'TE',
    'Transfer-Encoding',
    'Upgrade',
  ])
    test(`cannot be ${name}, which is not for one attempt to say`, () => {
      for (const value of ['1', undefined])
        assert.throws(() => withHeader(shared, name, value), {
          name: 'TypeError',
          message: `'${name}' cannot be set for one attempt`,
        })
    })
})

/** An attempt whose start is told to `onStart`; what is handed over is kept. */
function attemptWith(onStart: (attempt: Attempt) => void) {
  const sent: AttemptRequest[] = []
  const owner = { clock: { now: () => 1 }, counts: { attemptStarted: onStart } } as unknown as AttemptOwner
  const pool = { dispatch: (request: AttemptRequest) => sent.push(request) > 0 } as unknown as RequestPool
  const attempt = new Attempt(owner, {} as Backend, 1)
  const request: AttemptRequest = { method: 'GET', path: '/', headers: shared }
  return { attempt, request, sent, start: () => attempt.start(pool, request) }
}

describe('when it can be set', () => {
  test('while the start is told: it is handed over, and what is shared stays as it was', () => {
    const { start, sent } = attemptWith((attempt) => {
      attempt.setHeader('x-own', 'mine')
      attempt.setHeader('accept', undefined)
      attempt.setHeader('X-Own', 'again')
    })
    start()
    assert.deepEqual(sent[0]!.headers, ['Host', 'a.test', 'X-Own', 'again'])
    assert.equal(shared.length, 8)
  })

  test('without anything set, the fields of the exchange themselves are handed over', () => {
    const { start, sent } = attemptWith(() => {})
    start()
    assert.equal(sent[0]!.headers, shared)
  })

  test('neither before nor after', () => {
    const { attempt, start, sent } = attemptWith(() => {})
    const late = { message: "'x-own' can be set only within onAttemptStart" }
    assert.throws(() => attempt.setHeader('x-own', 'early'), late)
    start()
    assert.throws(() => attempt.setHeader('x-own', 'late'), late)
    assert.equal(sent[0]!.headers, shared)
  })
})

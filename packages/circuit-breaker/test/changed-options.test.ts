import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBackend } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import circuitBreaker, { type CircuitBreakerOptions } from '../src/index.ts'

/** A backend `a` that answers 503 to everything, and `b` that is well. */
async function breaking(t: TestContext, options: CircuitBreakerOptions = {}) {
  const clock = new ManualClock()
  const sick = await startBackend(t, (_request, response) => response.writeHead(503).end())
  const well = await startBackend(t)
  const app = Fastify()
  t.after(() => app.close())
  const backends = [
    { id: 'a', url: sick.url },
    { id: 'b', url: well.url },
  ]
  await app.register(balancer, { backends, clock, random: () => 0.5, retry: { attempts: 0 } })
  await app.register(circuitBreaker, { jitter: 0, ...options })
  await app.ready()
  const prepare = (given: CircuitBreakerOptions | false | undefined) =>
    app.balancer.prepare({ backends, retry: { attempts: 0 } }, { beside: { 'circuit-breaker': given } })
  const change = async (given: CircuitBreakerOptions | false) => {
    const prepared = await prepare(given)
    assert.deepEqual(prepared.faults, [])
    prepared.commit()
  }
  /** So many requests to `a`. */
  const fail = async (count: number) => {
    for (let asked = 0; asked < 2 * count; asked++) await app.inject('/')
  }
  const vetoes = (id: string) => app.balancer.backend(id).vetoes.map(({ by, hard }) => `${by}${hard ? '!' : ''}`)
  return { app, breaker: app.circuitBreaker, clock, prepare, change, fail, vetoes }
}

test('other thresholds count the failures that were counted before', async (t) => {
  const { breaker, change, fail } = await breaking(t, { failures: 5 })
  await fail(2)
  await change({ jitter: 0, failures: 3 })
  assert.equal(breaker.of('a').state, 'closed')
  await fail(1)
  assert.deepEqual([breaker.of('a').state, breaker.of('a').reason], ['open', '3 failures in a row, at most 10 s apart'])
})

test('an open circuit stays open for as long as it began, and then goes by the new figures', async (t) => {
  const { breaker, clock, change, fail, prepare, vetoes } = await breaking(t, { failures: 1, openFor: 1000 })
  await fail(1)
  assert.equal(breaker.of('a').state, 'open')
  const prepared = await prepare({ jitter: 0, failures: 1, openFor: 5000, growth: 1, statuses: [502] })
  assert.deepEqual(
    prepared.changes.map(({ option, from, to }) => [option, from, to]),
    [
      ['circuitBreaker.openFor', 1000, 5000],
      ['circuitBreaker.growth', 2, 1],
      ['circuitBreaker.statuses', [502, 503, 504], [502]],
    ],
  )
  prepared.abandon()
  await change({ jitter: 0, failures: 1, openFor: 5000, growth: 1 })
  assert.deepEqual([breaker.of('a').changesIn, vetoes('a')], [1000, ['circuit-breaker']])
  clock.advance(1000)
  assert.equal(breaker.of('a').state, 'half-open')
  await fail(1)
  assert.deepEqual([breaker.of('a').state, breaker.of('a').changesIn], ['open', 5000])
})

test('more trials are let through at once', async (t) => {
  const { app, breaker, clock, change, fail, vetoes } = await breaking(t, { failures: 1, openFor: 1000 })
  await fail(1)
  clock.advance(1000)
  const attempt = () => app.balancer.picking.at(app.balancer.backend('a'), { attempts: [], clock } as never)
  const first = attempt() as unknown as { backend: unknown; startedAt: number }
  first.startedAt = clock.now()
  app.balancer.hooks.tell('onAttemptStart', first as never)
  assert.deepEqual([breaker.of('a').trials, vetoes('a')], [1, ['circuit-breaker']])
  await change({ jitter: 0, failures: 1, openFor: 1000, trials: 2 })
  assert.deepEqual([breaker.of('a').trials, vetoes('a')], [1, []])
})

test('a rate with the same settings keeps its window', async (t) => {
  const rate = { calls: 10, minimumCalls: 4, failureShare: 1 }
  const { breaker, change, fail } = await breaking(t, { failures: 0, rate })
  await fail(3)
  await change({ jitter: 0, failures: 0, rate, openFor: 7 })
  await fail(1)
  assert.equal(breaker.of('a').state, 'open')
})

test('single backends can lose their circuit, and get one', async (t) => {
  const { breaker, change, fail, vetoes } = await breaking(t, { failures: 1, backends: { b: false } })
  await fail(1)
  assert.deepEqual(vetoes('a'), ['circuit-breaker'])
  await change({ jitter: 0, failures: 1, backends: { a: false } })
  assert.deepEqual(vetoes('a'), [])
  assert.throws(() => breaker.of('a'), { code: 'FST_BALANCER_CIRCUIT_NO_CIRCUIT' })
  assert.equal(breaker.of('b').state, 'closed')
})

test('switched off, it lifts its vetoes and leaves no timer; switched on, it begins anew', async (t) => {
  const { app, breaker, clock, change, fail, prepare, vetoes } = await breaking(t, { failures: 1 })
  await fail(1)
  assert.deepEqual(vetoes('a'), ['circuit-breaker'])
  await change(false)
  assert.deepEqual([vetoes('a'), app.balancer.extensions.has('circuit-breaker')], [[], false])
  assert.equal(app.balancer.hooks.onAttemptStart.length, 0)
  assert.deepEqual((await prepare(undefined).then((one) => (one.abandon(), one))).changes, [])
  await fail(3)
  clock.advance(60_000)
  assert.deepEqual(vetoes('a'), [])
  await change({ jitter: 0, failures: 2 })
  assert.equal(app.circuitBreaker, breaker)
  await fail(1)
  assert.deepEqual(vetoes('a'), [])
  await fail(1)
  assert.deepEqual(vetoes('a'), ['circuit-breaker'])
})

test('what somebody holds is not taken away', async (t) => {
  const { app, breaker, prepare, change, vetoes } = await breaking(t)
  const hold = breaker.isolate('a')
  for (const given of [false as const, { backends: { a: false as const } }]) {
    const refused = await prepare(given)
    assert.deepEqual(refused.faults, ["circuitBreaker: the circuit of 'a' is held by hand; release it first"])
    refused.abandon()
  }
  await change({ failures: 9 })
  assert.deepEqual(vetoes('a'), ['circuit-breaker!'])
  hold.release()
  await change(false)
  assert.deepEqual([vetoes('a'), app.balancer.extensions.size], [[], 0])
})

test('what is wrong refuses the whole change', async (t) => {
  const { app, prepare } = await breaking(t)
  const { options } = app.balancer
  const change = await prepare({ failures: -1, backends: { a: { trials: 0 } } })
  assert.deepEqual(
    change.faults.map((fault) => fault.split(':')[0]),
    ['circuitBreaker.failures', 'circuitBreaker.backends.a.trials'],
  )
  change.abandon()
  assert.equal(app.balancer.options, options)
})

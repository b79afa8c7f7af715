import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyAtLoad } from '../../src/load-aware/latency-at-load.ts'
import { ProbePool, type Probe } from '../../src/load-aware/probe-pool.ts'
import { listOf, Simulated } from './simulated.ts'

const { balancer } = new Simulated('random', listOf(...Array.from({ length: 20 }, (_, at) => `b${at}`)))
const [a, b, c, d] = balancer.backends

const probe = (backend: Probe['backend'], load: number, time: number, at = 0, uses = Infinity): Probe => ({
  ...{ backend, load, time, at, uses },
})

function pool(quantile: number, ...probes: Probe[]): ProbePool {
  return new ProbePool(quantile, probes)
}

test('of those that are not hot the fastest, and if all are hot the least loaded', () => {
  // Loads 1 2 3 9: the 0.84 quantile is the third, 3; d is hot, though it is the fastest.
  const four = [probe(a!, 3, 5), probe(b!, 1, 9), probe(c!, 2, 7), probe(d!, 9, 1)]
  assert.equal(pool(0.84, ...four).hotAbove(), 3)
  assert.equal(pool(0.84, ...four).use(), a)
  // All but the least loaded are hot.
  assert.equal(pool(0, ...four).use(), b)
  assert.equal(pool(1, ...four).use(), d)
})

test('a use adds one to the load of its probe, until it is used up', () => {
  const two = pool(0.84, probe(a!, 0, 5, 0, 2), probe(b!, 0, 9))
  // a: 0 is not above 0. Then 1 is.
  assert.deepEqual([two.use(), two.use(), two.use(), two.size], [a, b, a, 1])
})

test('of equal ones the less loaded, and then the one that was drawn last', () => {
  assert.equal(pool(1, probe(a!, 1, 5), probe(b!, 0, 5)).use(), b)
  assert.equal(pool(1, probe(a!, 0, 5), probe(b!, 0, 5)).use(), b)
})

test('a new probe replaces that of its backend; at most 16 stay, and none over 1 s old or of one that has left', () => {
  const many = pool(0.84)
  for (const backend of balancer.backends) many.add(probe(backend, 0, 1))
  assert.equal(many.size, 16)
  many.add(probe(balancer.backends[19]!, 5, 1, 500))
  assert.equal(many.size, 16)
  many.expire(1000)
  assert.equal(many.size, 16)
  many.expire(1001)
  assert.equal(many.size, 1)
  many.keep(new Set([a!]))
  assert.equal(many.size, 0)
})

test('by turns the oldest and the worst are removed', () => {
  const four = pool(0.84, probe(a!, 1, 5), probe(b!, 9, 1), probe(c!, 2, 9), probe(d!, 3, 2))
  four.removeOne()
  // Now the hot one.
  four.removeOne()
  assert.equal(four.size, 2)
  // Of two, the quantile is the lesser load: d is hot.
  assert.equal(four.use(), c)
  four.removeOne()
  assert.equal(four.use(), d)
})

test('the response time is that of the load at arrival, or the nearest level that is known', () => {
  const latency = new LatencyAtLoad(a!, 5000)
  assert.equal(latency.time(0), undefined)
  latency.responded(10, 0, 1)
  latency.responded(80, 0, 9)
  const timeAt = (load: number) => {
    a!.inFlight = load
    return latency.time(0)
  }
  // Levels: 0, 1, 2–3, 4–7, 8–15.
  assert.deepEqual([0, 1, 2, 7, 8, 15, 100].map(timeAt), [10, 10, 10, 10, 80, 80, 80])
  latency.responded(20, 0, 1)
  assert.equal(timeAt(1), 13)
  a!.inFlight = 0
})

test('explain shows the pool, and what it thinks of each backend', () => {
  const simulated = new Simulated('prequal', listOf('a', 'b'))
  assert.deepEqual(simulated.balancer.explain().policy, { name: 'prequal', pool: 0, hotAbove: null })
  simulated.run(4, 50, () => ({ after: 5 }))
  assert.deepEqual(simulated.details('a'), { responseTime: 5, load: 0 })
  assert.equal(simulated.score('a'), 5)
  assert.equal(simulated.balancer.explain().policy['pool'], 2)
})

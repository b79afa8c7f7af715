import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mostBackends } from '../../src/history/backend-series.ts'
import { Series } from '../../src/history/series.ts'
import { FakeBackend, Recording } from './fakes.ts'

const begin = 1_700_000_000_000

test('a clock that is set back a little only makes its step longer', async () => {
  const recording = new Recording(begin)
  const { clock } = recording.balancer
  recording.request(200, 5)
  clock.advance(10_001)
  recording.request(200, 5)
  recording.offset -= 100
  recording.request(200, 5)
  const { times, totals } = await recording.read('5m')
  assert.deepEqual(times.slice(-2), [begin, begin + 10_000])
  assert.deepEqual(totals.requests.slice(-3), [null, 1, 2])
})

test('after the clock was set back, steps of a time to come are forgotten', async () => {
  const recording = new Recording(begin)
  const { clock } = recording.balancer
  for (let step = 0; step < 6; step++) {
    recording.request(200, 5)
    clock.advance(10_000)
  }
  recording.offset -= 40_000
  recording.request(500, 5)
  const { times, totals, at } = await recording.read('5m')
  assert.deepEqual([times.at(-1), at], [begin + 20_000, begin + 20_000])
  assert.deepEqual(totals.requests.slice(-4), [null, 1, 1, 1])
  assert.deepEqual(totals.failed.slice(-4), [null, 0, 0, 1])
  // The step of now: nothing of what was measured there before is left.
  clock.stop(40_000)
  const later = await recording.read('5m')
  assert.deepEqual(later.totals.requests.slice(-5), [1, null, null, null, 0])
})

test('what is in flight, and what waits, is told as of the end of a step, and in the last one as of now', async () => {
  const recording = new Recording(begin)
  const { balancer } = recording
  balancer.exchanges = 5
  balancer.tunnels.size = 2
  balancer.queue.length = 1
  balancer.clock.advance(10_000)
  balancer.exchanges = 9
  const { totals } = await recording.read('5m')
  assert.deepEqual(
    [totals.inFlight.slice(-2), totals.waiting.slice(-2)],
    [
      [3, 7],
      [1, 1],
    ],
  )
})

test('a status of no class counts as a request, and as nothing else', async () => {
  const recording = new Recording(begin)
  recording.request(699, 5)
  const { totals } = await recording.read('5m')
  const last = (values: readonly (number | null)[]) => values.at(-1)
  assert.deepEqual([last(totals.requests), last(totals.inFlight), last(totals.waiting)], [1, 0, 0])
  assert.deepEqual(Object.values(totals.responses).map(last), [0, 0, 0, 0, 0])
  assert.ok(Math.abs(last(totals.p95)! - 5) < 0.25)
})

test('what the process sheds counts in the step in which that happened', async () => {
  const recording = new Recording(begin)
  const { clock } = recording.balancer
  recording.shed = 5
  clock.advance(10_000)
  recording.shed = 7
  assert.deepEqual((await recording.read('5m')).totals.shed.slice(-3), [null, 5, 2])
  clock.advance(10_000)
  assert.deepEqual((await recording.read('1h')).totals.shed.slice(-4), [null, 5, 2, 0])
  assert.equal((await recording.read('6h')).totals.shed.at(-1), 7)
})

test('a backend that hangs is told of before its first request has ended', async () => {
  const recording = new Recording(begin)
  const { balancer } = recording
  const hanging = new FakeBackend('hanging')
  balancer.backends = [hanging]
  hanging.requests = hanging.inFlight = 3
  balancer.clock.advance(20_000)
  const { backends } = await recording.read('5m')
  assert.deepEqual(
    backends.map(({ id, inFlight, attempts }) => [id, inFlight.slice(-3), attempts.slice(-3)]),
    [['hanging', [3, 3, 3], [0, 0, 0]]],
  )
})

test('its memory is bounded: the backends that came first have a history, and those that were removed give way', async () => {
  const recording = new Recording(begin)
  const { balancer, recorder } = recording
  const all = Array.from({ length: mostBackends + 2 }, (_, index) => new FakeBackend(`b${index}`))
  balancer.backends = all
  for (const backend of all) recording.attempt(backend, 200, 1)
  const told = async () => (await recording.read('5m')).backends.map(({ id }) => id)
  assert.equal(recorder.backends.size, mostBackends)
  assert.equal((await told()).includes(`b${mostBackends}`), false)

  // Still there while one removed has requests in flight; then its place is free.
  const [first, second] = all as [FakeBackend, FakeBackend]
  first.inFlight = 1
  balancer.backends = all.slice(2)
  balancer.clock.advance(10_000)
  for (const backend of all.slice(mostBackends)) recording.attempt(backend, 200, 1)
  assert.equal(recorder.backends.size, mostBackends)
  assert.deepEqual(
    [first, second, ...all.slice(mostBackends)].map(({ id }) => [...recorder.backends].some(([one]) => one === id)),
    [true, false, true, false],
  )
  assert.equal((await told()).includes(`b${mostBackends}`), true)
})

test('a backend that was removed is forgotten once its last request is older than every range', async () => {
  const recording = new Recording(begin)
  const { balancer, recorder } = recording
  const gone = new FakeBackend('gone')
  balancer.backends = [gone]
  recording.attempt(gone, 200, 1)
  balancer.backends = []
  const day = 86_400_000
  balancer.clock.advance(3 * day - 600_000)
  assert.equal((await recording.read('3d')).backends.length, 1)
  balancer.clock.advance(1_200_000)
  assert.deepEqual([(await recording.read('3d')).backends, recorder.backends.size], [[], 0])
})

test('the memory of one backend is what the README says', () => {
  assert.equal(new Series().bytes, 43_692)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noHistory, withFigures } from '../../page/live/history.ts'
import { withFigures as withTraffic, type TrafficById } from '../../page/live/traffic.ts'
import { backendFigures, figures, start } from './told.ts'

function after(...told: readonly ReturnType<typeof figures>[]) {
  return told.reduce(withFigures, noHistory)
}

test('a second becomes one point of every line', () => {
  assert.deepEqual(after(figures(0), figures(1, { seconds: 2, failed: 0 })), {
    times: [start / 1000, start / 1000 + 1],
    rate: [100, 50],
    failures: [5, 0],
    errors: [5, 0],
    p50: [10, 10],
    p95: [20, 20],
    p99: [40, 40],
  })
})

test('where nothing was asked, there is no error rate and no latency, rather than 0', () => {
  const { rate, errors, p50 } = after(figures(0, { requests: 0, failed: 0, latency: null }))
  assert.deepEqual({ rate, errors, p50 }, { rate: [0], errors: [null], p50: [null] })
})

test('five minutes are kept, and no more', () => {
  const { times, rate } = after(...Array.from({ length: 400 }, (_, second) => figures(second)))
  assert.equal(times.length, rate.length)
  assert.deepEqual([times[0], times.at(-1)], [start / 1000 + 99, start / 1000 + 399])
})

test('where nothing was told for a while, the line is broken; what is older than five minutes goes with it', () => {
  const { times, rate } = after(figures(0), figures(3), figures(10))
  assert.deepEqual(
    times.map((time) => time - start / 1000),
    [0, 3, 4, 10],
  )
  assert.deepEqual(rate, [100, 100, null, 100])
  const late = after(figures(0), figures(1000))
  assert.deepEqual(late.rate, [null, 100])
  assert.ok(late.times[0]! < late.times[1]!)
})

test('what was there before is not changed', () => {
  const before = after(figures(0))
  const copy = structuredClone(before)
  withFigures(before, figures(1))
  assert.deepEqual(before, copy)
})

function traffic(...told: readonly ReturnType<typeof figures>[]): TrafficById {
  return told.reduce(withTraffic, new Map() as TrafficById)
}

test('shares and rates are those of the last three seconds', () => {
  const second = (at: number, a: number, b: number) =>
    figures(at, { backends: [backendFigures('a', a), backendFigures('b', b)] })
  const now = traffic(second(0, 1000, 0), second(1, 10, 30), second(2, 10, 30), second(3, 10, 30))
  assert.deepEqual(
    [...now].map(([id, { rate, share }]) => [id, rate, share]),
    [
      ['a', 10, 0.25],
      ['b', 30, 0.75],
    ],
  )
})

test('without traffic nobody has a share', () => {
  const now = traffic(figures(0, { backends: [backendFigures('a', 0, null)] })).get('a')!
  assert.deepEqual([now.rate, now.share, now.p95, now.latencies], [0, 0, null, [null]])
})

test('a backend that is gone is forgotten, and one that comes later begins then', () => {
  const now = traffic(
    figures(0, { backends: [backendFigures('a', 1)] }),
    figures(1, { backends: [backendFigures('b', 1)] }),
  )
  assert.deepEqual([...now.keys()], ['b'])
  assert.deepEqual(now.get('b')!.times, [start / 1000 + 1])
})

test('a sparkline has a minute', () => {
  const now = traffic(
    ...Array.from({ length: 100 }, (_, second) => figures(second, { backends: [backendFigures('a', 1, second)] })),
  ).get('a')!
  assert.deepEqual([now.latencies.length, now.latencies[0], now.p95], [61, 39, 99])
})

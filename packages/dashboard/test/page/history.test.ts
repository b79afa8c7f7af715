import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failures } from '../../../balancer-core/src/failure.ts'
import { columnsOf } from '../../page/history/columns.ts'
import { failuresIn, fine } from '../../page/history/outcomes.ts'
import { merged, pastOf } from '../../page/history/past.ts'
import { coarser, type Point } from '../../page/history/point.ts'
import { nameOf, rangeNamed, ranges } from '../../page/history/range.ts'
import { totalsOf } from '../../page/history/totals.ts'
import { withSecond } from '../../page/live/seconds.ts'
import { sparkOf, withFigures, withPast, type TrafficById } from '../../page/live/traffic.ts'
import { backendFigures, figures, historyView, start } from './told.ts'

function after(...told: readonly ReturnType<typeof figures>[]): readonly Point[] {
  return told.reduce(withSecond, [] as readonly Point[])
}

/** In seconds after the start. */
const since = (times: readonly number[]) => times.map((time) => time - start / 1000)

describe('the columns of the charts', () => {
  test('a second becomes one point of every line', () => {
    assert.deepEqual(columnsOf(after(figures(0), figures(1, { seconds: 2, failed: 0, latency: null }))), {
      times: [start / 1000, start / 1000 + 1],
      requests: [100, 50],
      retries: [2, 1],
      clientErrors: [6, 3],
      serverErrors: [4, 2],
      failed: [5, 0],
      p50: [10, null],
      p95: [20, null],
      p99: [40, null],
    })
  })

  test('where nothing was told for a while, the line is broken', () => {
    const { times, requests } = columnsOf(after(figures(0), figures(3), figures(10)))
    assert.deepEqual(since(times).map(Math.round), [0, 3, 3, 10])
    assert.deepEqual(requests, [100, 100, null, 100])
    assert.ok(times[1]! < times[2]!)
  })

  test('fifteen minutes of seconds are kept, and no more', () => {
    const seconds = after(...Array.from({ length: 1000 }, (_, second) => figures(second)))
    assert.deepEqual([seconds.length, seconds[0]!.at], [900, start + 100_000])
  })
})

describe('the past', () => {
  test('what the server tells comes first, then the seconds since; none is counted twice', () => {
    const past = pastOf(historyView(100, 3), '5m')
    const points = merged(past, after(figures(99), figures(100), figures(101), figures(102)), '5m')
    const { times, requests, failed } = columnsOf(points)
    assert.deepEqual(since(times), [80, 90, 100, 101, 102])
    assert.deepEqual(requests, [20, 20, 20, 100, 100])
    assert.deepEqual(failed, [2, 2, 2, 5, 5])
    assert.deepEqual(totalsOf(points), {
      requests: 800,
      failed: 70,
      retries: 34,
      responses: { '2xx': 630, '3xx': 30, '4xx': 72, '5xx': 68 },
    })
  })

  test('a time in which nothing was measured, as the server was down, is a gap', () => {
    const view = historyView(100, 5)
    const requests = [200, null, null, 200, 200]
    const columns = columnsOf(merged(pastOf({ ...view, totals: { ...view.totals, requests } }, '5m'), [], '5m'))
    assert.deepEqual(columns.requests, [20, null, 20, 20])
    assert.deepEqual(since(columns.times).map(Math.round), [60, 60, 90, 100])
  })

  test('the last period is as long as it has lasted, and the first as the process has run', () => {
    const view = { ...historyView(100, 4), at: start + 93_000, since: start + 72_000 }
    const told = pastOf(view, '5m').points.map(({ at, seconds }) => [(at - start) / 1000, seconds])
    assert.deepEqual(told, [
      [80, 8],
      [90, 10],
      [93, 3],
    ])
    assert.equal(pastOf({ ...view, at: start + 90_000 }, '5m').points.length, 2)
  })

  test('what is older than the range is left out', () => {
    const past = pastOf(historyView(400, 100), '5m')
    assert.equal(merged(past, [], '5m').length, 31)
    assert.equal(merged(past, [], '15m').length, 91)
    assert.deepEqual(merged(past, after(figures(500)), '5m').map(({ at }) => (at - start) / 1000)[0], 200)
  })

  test('of a longer range, the seconds are joined to periods as long as those before', () => {
    const seconds = after(
      figures(101, { latency: null }),
      ...Array.from({ length: 8 }, (_, index) => figures(102 + index)),
      figures(110, { requests: 300, latency: { p50: 10, p95: 20, p99: 80 } }),
      figures(111),
    )
    const points = merged(pastOf(historyView(100, 2), '1h'), seconds, '1h')
    assert.deepEqual(
      points.map(({ at, seconds: length, requests }) => [(at - start) / 1000, length, requests]),
      [
        [90, 10, 200],
        [100, 10, 200],
        [110, 10, 1200],
        [111, 1, 100],
      ],
    )
    assert.deepEqual([points[2]!.p50, points[2]!.p99], [10, (40 * 800 + 80 * 300) / 1100])
  })

  test('without a past there are the seconds, of whatever range', () => {
    const seconds = after(figures(0), figures(1))
    for (const range of ['5m', '24h'] as const) assert.deepEqual(merged(undefined, seconds, range), seconds)
    assert.deepEqual(coarser([], 1000), [])
  })
})

test('a range has a name in the address; where there is none, or a wrong one, it is the first', () => {
  for (const name of [undefined, '', '2h']) assert.equal(rangeNamed(name), '5m')
  for (const range of ranges) assert.equal(rangeNamed(nameOf(range)), range)
  assert.equal(nameOf('5m'), undefined)
})

test('what clients are to blame for is no failure', () => {
  const ofClients = Object.entries(failures).filter(([, { blame }]) => blame === 'client')
  assert.deepEqual(new Set(['ok', 'hedge-lost', ...ofClients.map(([reason]) => reason)]), fine)
})

test('failures by reason, most often first; what is none is left out', () => {
  assert.deepEqual(
    failuresIn({ ok: 9, 'hedge-lost': 3, 'headers-timeout': 1, 'connect-refused': 4, 'dns-failed': 0 }),
    [
      ['connect-refused', 4],
      ['headers-timeout', 1],
    ],
  )
})

function traffic(...told: readonly ReturnType<typeof figures>[]): TrafficById {
  return told.reduce(withFigures, new Map() as TrafficById)
}

describe('the traffic of backends', () => {
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

  test('without traffic no backend has a share', () => {
    const now = traffic(figures(0, { backends: [backendFigures('a', 0, null)] })).get('a')!
    assert.deepEqual([now.rate, now.share, now.p95, sparkOf(now)[1]], [0, 0, null, [null]])
  })

  test('a backend that is gone is forgotten, and one that comes later begins then', () => {
    const now = traffic(
      figures(0, { backends: [backendFigures('a', 1)] }),
      figures(1, { backends: [backendFigures('b', 1)] }),
    )
    assert.deepEqual([...now.keys()], ['b'])
    assert.deepEqual(sparkOf(now.get('b')!)[0], [start / 1000 + 1])
  })

  test('a sparkline has a minute, also before the page was opened; where nothing was told, it is broken', () => {
    const seconds = Array.from({ length: 100 }, (_, second) =>
      figures(second, { backends: [backendFigures('a', 1, second)] }),
    )
    const now = traffic(...seconds).get('a')!
    const [, latencies] = sparkOf(now)
    assert.deepEqual([latencies.length, latencies[0], now.p95], [61, 39, 99])
    const earlier = withPast(
      traffic(figures(102, { backends: [backendFigures('a', 1)] })),
      pastOf(historyView(100, 9, 'a'), '5m'),
    )
    const [times, values] = sparkOf(earlier.get('a')!)
    assert.deepEqual(since(times), [50, 60, 70, 80, 90, 100, 102])
    assert.deepEqual(values, [40, 40, 40, 40, 40, 40, 20])
    const [, broken] = sparkOf(withFigures(earlier, figures(120, { backends: [backendFigures('a', 1)] })).get('a')!)
    assert.deepEqual(broken.slice(-3), [20, null, 20])
  })

  test('errors are those of the range: what the server told, and since', () => {
    const failing = (second: number, requests: number, failed: number) =>
      figures(second, { backends: [{ ...backendFigures('a', requests), failed }] })
    const told = traffic(failing(99, 50, 50), failing(101, 10, 0), failing(102, 10, 1))
    assert.deepEqual(told.get('a')!.errors, { attempts: 70, failed: 51, isBurning: true })
    const past = pastOf(historyView(100, 3, 'a', 'b'), '5m')
    const all = withPast(told, past)
    assert.deepEqual(all.get('a')!.errors, { attempts: 320, failed: 31, isBurning: true })
    assert.deepEqual(all.get('b')!.errors, { attempts: 300, failed: 30, isBurning: true })
    assert.deepEqual(withFigures(all, failing(103, 5, 5)).get('a')!.errors, {
      attempts: 325,
      failed: 36,
      isBurning: true,
    })
  })

  test('it burns from one in a hundred on, in the range or in the last minute', () => {
    const failing = (second: number, requests: number, failed: number) =>
      figures(second, { backends: [{ ...backendFigures('a', requests), failed }] })
    const isBurning = (...told: readonly ReturnType<typeof figures>[]) => traffic(...told).get('a')!.errors.isBurning
    assert.equal(isBurning(failing(0, 101, 1)), false)
    assert.equal(isBurning(failing(0, 100, 1)), true)
    assert.equal(isBurning(failing(0, 10_000, 0), failing(70, 100, 1)), true)
    assert.equal(isBurning(failing(0, 100, 2), failing(70, 10_000, 0)), false)
    assert.equal(isBurning(failing(0, 0, 0)), false)
  })

  test('what was there before is not changed', () => {
    const before = traffic(figures(0, { backends: [backendFigures('a', 1)] }))
    const copy = structuredClone(before)
    withFigures(before, figures(1, { backends: [backendFigures('a', 1)] }))
    withPast(before, pastOf(historyView(100, 3, 'a'), '5m'))
    assert.deepEqual(before, copy)
  })
})

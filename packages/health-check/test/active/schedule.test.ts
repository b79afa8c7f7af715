import type { Backend } from '@fastify-balancer/balancer-core'
import { Pauses } from '@fastify-balancer/option-schema'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Probe, ProbeReport, Probing } from '../../src/probe/probing.ts'
import type { Pace } from '../../src/active/rise-fall.ts'
import { Schedule, type Timetable } from '../../src/active/schedule.ts'
import { HeapClock } from './heap-clock.ts'

const backend = { id: 'a' } as Backend
const intervals = { interval: 5000, fastInterval: 1000, downInterval: 8000 }

/** A schedule at a standing clock, of probes that answer when `answer` is called, or at once. */
function scheduled(given: Partial<Timetable> & { answersAfter?: number; paces?: Pace[] } = {}) {
  const { answersAfter = 0, paces = [], ...table } = given
  const clock = new ManualClock(1000)
  const starts: number[] = []
  const reports: ProbeReport[] = []
  const underWay: Probing[] = []
  const probe: Probe = (_backend, probing) => {
    starts.push(clock.now() - 1000)
    underWay.push(probing)
    if (answersAfter === 0) probing.good('good')
    else clock.setTimeout(() => probing.good('good'), answersAfter)
  }
  const schedule = new Schedule(
    backend,
    { clock, pauses: new Pauses(clock), random: () => 0.5, probe, timeout: 2000, intervals, jitter: 0, ...table },
    (report) => {
      reports.push(report)
      return paces.shift() ?? 'interval'
    },
  )
  return { clock, schedule, starts, reports, underWay }
}

describe('the first probe', () => {
  for (const [draw, first] of [
    [0, 0],
    [0.25, 1250],
    [0.5, 2500],
    [0.999_99, 5000],
  ] as const) {
    test(`comes after a random share of an interval: ${draw} of it`, () => {
      const { clock, schedule, starts } = scheduled({ random: () => draw })
      schedule.begin('interval')
      assert.deepEqual(starts, [], 'not in the call')
      clock.advance(first)
      assert.deepEqual(starts, [first])
      clock.advance(5000)
      assert.deepEqual(starts, [first, first + 5000])
    })
  }

  test('of the interval that is asked for', () => {
    const { clock, schedule, starts } = scheduled()
    schedule.begin('downInterval')
    clock.advance(4000)
    assert.deepEqual(starts, [4000])
  })

  test('asked for at once, it is followed by a random share', () => {
    const { clock, schedule, starts } = scheduled()
    let told = 0
    schedule.beginNow(() => told++)
    assert.deepEqual([starts, told], [[0], 1])
    clock.advance(12_500)
    assert.deepEqual(starts, [0, 2500, 7500, 12_500])
    assert.equal(told, 1)
  })
})

describe('the next probe', () => {
  test('is counted from the beginning of the last', () => {
    const { clock, schedule, starts } = scheduled({ answersAfter: 1500 })
    schedule.begin('interval')
    clock.advance(20_000)
    assert.deepEqual(starts, [2500, 7500, 12_500, 17_500])
  })

  test('comes at once when the last took longer than the interval, and never beside it', () => {
    const intervalsShort = { ...intervals, interval: 1000 }
    const { clock, schedule, starts } = scheduled({ answersAfter: 1500, intervals: intervalsShort })
    schedule.begin('interval')
    clock.advance(5000)
    assert.deepEqual(starts, [500, 2000, 3500, 5000])
  })

  test('comes after the interval that the answer asks for', () => {
    const { clock, schedule, starts } = scheduled({
      paces: ['fastInterval', 'fastInterval', 'downInterval', 'downInterval', 'fastInterval', 'interval'],
    })
    schedule.begin('interval')
    clock.advance(27_500)
    assert.deepEqual(starts, [2500, 3500, 4500, 12_500, 20_500, 21_500, 26_500])
  })

  test('keeps within the jitter, and reaches both ends of it', () => {
    for (const [draw, gap] of [
      [0, 4500],
      [0.25, 4750],
      [0.5, 5000],
      [0.999_999, 5500],
    ] as const) {
      const { clock, schedule, starts } = scheduled({ random: () => draw, jitter: 0.1 })
      schedule.beginNow(() => {})
      clock.advance(40_000)
      const gaps = starts.slice(2).map((at, index) => at - starts[index + 1]!)
      assert.deepEqual(new Set(gaps), new Set([gap]), `drawn ${draw}`)
    }
  })

  test('comes after a timeout like after any answer', () => {
    const { clock, schedule, starts, reports } = scheduled({ answersAfter: 1e9 })
    schedule.begin('interval')
    clock.advance(12_000)
    assert.deepEqual(starts, [2500, 7500])
    assert.deepEqual(
      reports.map(({ received, timings }) => [received, timings.took]),
      [
        ['no answer within 2000 ms', 2000],
        ['no answer within 2000 ms', 2000],
      ],
    )
  })
})

describe('when traffic says that something is wrong', () => {
  test('two probes come soon, and then the usual interval', () => {
    const { clock, schedule, starts } = scheduled()
    schedule.beginNow(() => {})
    clock.advance(200)
    schedule.hasten()
    schedule.hasten()
    clock.advance(12_800)
    assert.deepEqual(starts, [0, 1000, 2000, 7000, 12_000])
  })

  test('the first at once, if the last was long ago; and soon as long as it goes on', () => {
    const { clock, schedule, starts } = scheduled()
    schedule.beginNow(() => {})
    for (clock.advance(4000); clock.now() < 1000 + 7000; clock.advance(500)) schedule.hasten()
    clock.advance(2000)
    assert.deepEqual(starts, [0, 2500, 4000, 5000, 6000, 7000, 8000])
    clock.advance(5000)
    assert.deepEqual(starts.slice(7), [13_000])
  })

  test('a probe that is under way is the first', () => {
    const { clock, schedule, starts } = scheduled({ answersAfter: 400 })
    schedule.beginNow(() => {})
    clock.advance(100)
    schedule.hasten()
    clock.advance(7900)
    assert.deepEqual(starts, [0, 900, 1900, 6900])
  })

  test('nothing begins before it should, or when it has stopped; and a shorter interval stays', () => {
    const { clock, schedule, starts } = scheduled()
    schedule.hasten()
    clock.advance(10_000)
    assert.deepEqual(starts, [])
    schedule.beginNow(() => {})
    schedule.stop()
    schedule.hasten()
    assert.equal(clock.pending, 0)
    const quick = scheduled({ intervals: { interval: 100, fastInterval: 1000, downInterval: 100 } })
    quick.schedule.beginNow(() => {})
    quick.schedule.hasten()
    quick.clock.advance(300)
    assert.deepEqual(quick.starts, [0, 100, 200, 300])
  })
})

describe('a probe on demand', () => {
  test('is made at once, counts, and the next interval begins with it', () => {
    const { clock, schedule, starts, reports } = scheduled()
    schedule.begin('interval')
    clock.advance(3000)
    const told: ProbeReport[] = []
    schedule.probe((report) => told.push(report))
    assert.deepEqual(told, reports.slice(1))
    clock.advance(5000)
    assert.deepEqual(starts, [2500, 3000, 8000])
  })

  test('waits for the one that is under way', () => {
    const { clock, schedule, starts } = scheduled({ answersAfter: 1000 })
    const told: ProbeReport[] = []
    schedule.probe((report) => told.push(report))
    clock.advance(500)
    schedule.probe((report) => told.push(report))
    clock.advance(499)
    assert.equal(told.length, 0)
    clock.advance(1)
    assert.deepEqual(starts, [0])
    assert.equal(told.length, 2)
    assert.equal(told[0], told[1])
  })

  test('starts no schedule by itself, nor a second one', () => {
    const { clock, schedule, starts } = scheduled({ answersAfter: 100 })
    schedule.probe()
    clock.advance(100)
    assert.equal(clock.pending, 0)
    schedule.probe()
    schedule.begin('interval')
    clock.advance(10_000)
    assert.deepEqual(starts, [0, 100, 2700, 7700], 'a share of the interval after the answer')
    assert.equal(clock.pending, 1)
  })
})

describe('stopped', () => {
  test('nothing is pending', () => {
    const { clock, schedule, starts } = scheduled()
    schedule.begin('interval')
    clock.advance(3000)
    schedule.stop()
    assert.equal(clock.pending, 0)
    schedule.begin('interval')
    assert.equal(clock.pending, 0, 'nor does it begin again')
    assert.deepEqual(starts, [2500])
  })

  test('a probe under way is taken back, tells those who wait, and does not count', () => {
    const { clock, schedule, reports, underWay } = scheduled({ answersAfter: 1e9 })
    let closed = 0
    const told: ProbeReport[] = []
    schedule.beginNow((report) => told.push(report))
    underWay[0]!.closeBy(() => closed++)
    schedule.stop()
    assert.deepEqual([told.length, told[0]!.good, reports.length, closed], [1, false, 0, 1])
    assert.equal(clock.pending, 1, "the test's own")
  })

  test('whoever asks later is told at once that nothing was asked', () => {
    const { clock, schedule, starts, reports } = scheduled()
    schedule.stop()
    const told: string[] = []
    schedule.probe((report) => told.push(report.received))
    schedule.beginNow((report) => told.push(report.received))
    assert.deepEqual(
      told,
      Array.from({ length: 2 }, () => 'not probed: the health check has stopped'),
    )
    assert.deepEqual([starts, reports, clock.pending], [[], [], 0])
  })

  test('also from within a report', () => {
    const clock = new ManualClock()
    const schedule: Schedule = new Schedule(
      backend,
      {
        clock,
        pauses: new Pauses(clock),
        random: () => 0,
        probe: (_backend, probing) => probing.good(''),
        timeout: 1,
        intervals,
        jitter: 0,
      },
      () => {
        schedule.stop()
        return 'interval'
      },
    )
    schedule.beginNow(() => {})
    assert.equal(clock.pending, 0)
  })
})

/** The same numbers in each run, from 0 up to 1. (mulberry32) */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

test('10 000 backends stay on schedule, spread over the interval, a tenth of which do not answer', () => {
  const count = 10_000
  const clock = new HeapClock()
  const starts = Array.from({ length: count }, (): number[] => [])
  const perSlot = new Map<number, number>()
  const underWay = new Set<Backend>()
  const probe: Probe = (one, probing) => {
    assert.ok(!underWay.has(one), 'never two at once')
    underWay.add(one)
    const index = Number(one.id)
    starts[index]!.push(clock.now())
    const slot = Math.floor(clock.now() / 100)
    perSlot.set(slot, (perSlot.get(slot) ?? 0) + 1)
    if (index % 10 !== 0) clock.setTimeout(() => probing.good(''), index % 300)
  }
  const table = { clock, pauses: new Pauses(clock), random: seeded(1), probe, timeout: 2000, intervals, jitter: 0.1 }
  for (let index = 0; index < count; index++) {
    const one = { id: String(index) } as Backend
    const schedule = new Schedule(one, table, () => {
      underWay.delete(one)
      return 'interval'
    })
    schedule.begin('interval')
  }
  clock.advance(60_000)
  for (const [index, one] of starts.entries()) {
    assert.ok(one[0]! <= 5000, `${index} has begun within an interval`)
    for (const [probeIndex, at] of one.slice(1).entries()) {
      const gap = at - one[probeIndex]!
      assert.ok(gap >= 4499 && gap <= 5501, `${index} was probed ${gap} ms after the last`)
    }
    assert.ok(60_000 - one.at(-1)! <= 5501, `${index} was not forgotten`)
  }
  // 200 are due in each 100 ms; a draw of so many strays by 14 from that.
  const slots = [...perSlot.values()].slice(0, -1)
  assert.ok(Math.max(...slots) < 300 && Math.min(...slots) > 100, `${Math.min(...slots)} to ${Math.max(...slots)}`)
})

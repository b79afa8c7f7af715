// The parts of `run.ts tail` that need no sockets: requests that a seed decides, backends as queues, figures, the chart.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { flag, integer, readArguments } from '../bench/arguments.ts'
import { svgOf, themes } from '../bench/charts/drawing.ts'
import { tailsChart, ticksWithin } from '../bench/charts/tails.ts'
import { machineTimeIn } from '../bench/cpu-time.ts'
import { spread } from '../bench/statistics.ts'
import { schedule } from '../bench/tail/arrivals.ts'
import { Answers } from '../bench/tail/backends/answers.ts'
import { endOfWork, Service } from '../bench/tail/backends/service.ts'
import { drawing, seeded } from '../bench/tail/distributions.ts'
import type { Asked } from '../bench/tail/load/asked.ts'
import { figuresOf, latenciesOf } from '../bench/tail/load/figures.ts'
import { paths } from '../bench/tail/load/plan.ts'
import { tailsAsMarkdown } from '../bench/tail/markdown.ts'
import type { TailSample } from '../bench/tail/measure.ts'
import { reachOf } from '../bench/tail/reach.ts'
import { reportTails, sharesOfAlike, type TailScenarioReport } from '../bench/tail/report.ts'
import { scenarios, type TailScenario } from '../bench/tail/scenarios.ts'
import type { TailSubject } from '../bench/tail/subjects.ts'

/** The middles of so many equal parts of 0 to 1, one after the other: in place of random numbers, they give the exact mean. */
function middles(count: number): () => number {
  let next = 0
  return () => (next++ + 0.5) / count
}

function mean(count: number, draw: () => number): number {
  let sum = 0
  for (let drawn = 0; drawn < count; drawn++) sum += draw()
  return sum / count
}

describe('sizes of requests', () => {
  test('a seed decides them', () => {
    const draw = (seed: number) => Array.from({ length: 4 }, seeded(seed))
    assert.deepEqual(draw(7), draw(7))
    assert.notDeepEqual(draw(7), draw(8))
    assert.ok(draw(-7).every((one) => one >= 0 && one < 1))
    // Known values of mulberry32.
    assert.deepEqual(draw(1).slice(0, 2), [0.6270739405881613, 0.002735721180215478])
  })

  test('have a mean of 1', () => {
    const count = 100_000
    // What the last part leaves out is the smaller, the more parts there are.
    assert.ok(Math.abs(mean(count, drawing('exponential', middles(count))) - 1) < 1e-4)
    assert.ok(Math.abs(mean(count, drawing('pareto', middles(count))) - 1) < 1e-4)
  })

  test('half of the exponential ones are below ln 2', () => {
    assert.equal(drawing('exponential', () => 0.5)(), Math.LN2)
  })

  test('the largest Pareto one is a thousand times the smallest; of the shape 1.5, an eighth are four times as large', () => {
    const at = (random: number) => drawing('pareto', () => random)()
    assert.ok(Math.abs(at(1) / at(0) - 1000) < 1e-6)
    const eighth = 0.875 / (1 - 1000 ** -1.5)
    assert.ok(Math.abs(at(eighth) / at(0) - 4) < 1e-9)
  })

  test('are the same requests for everybody, in thousandths of the mean', () => {
    const [one, other] = [paths('pareto', 3), paths('pareto', 3)]
    for (let request = 0; request < 10; request++) {
      const path = one()
      assert.match(path, /^\/\d+$/)
      assert.equal(other(), path)
    }
    const draw = drawing('exponential', seeded(5))
    assert.equal(paths('exponential', 5)(), `/${Math.round(draw() * 1000)}`)
  })
})

describe('arrivals', () => {
  test('at a constant rate', () => {
    assert.deepEqual(schedule('constant', { rate: 4, seconds: 1.1, random: () => 0 }), [250, 500, 750, 1000])
  })

  test('of Poisson: gaps are exponential', () => {
    const random = () => 1 - Math.exp(-1.5)
    const dues = schedule('poisson', { rate: 10, seconds: 0.5, random })
    assert.deepEqual(
      dues.map((due) => Math.round(due)),
      [150, 300, 450],
    )
  })
})

describe('a backend is a queue', () => {
  test('with one slot, one request after the other', () => {
    const service = new Service({ slots: 1, mean: 10 })
    assert.deepEqual([service.finish(0, 1), service.finish(5, 2), service.finish(100, 0.5)], [10, 30, 105])
  })

  test('with several, first come, first served', () => {
    const service = new Service({ slots: 2, mean: 10 })
    const finished = [5, 1, 1, 3, 1].map((size) => service.finish(0, size))
    assert.deepEqual(finished, [50, 10, 20, 50, 60])
  })

  test('never works on more than it has slots, and nobody waits while one is free', () => {
    const requests = fc.array(fc.record({ gap: fc.nat(20), size: fc.integer({ min: 1, max: 50 }) }), { maxLength: 60 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), requests, (slots, all) => {
        const service = new Service({ slots, mean: 1 })
        const ends: number[] = []
        let at = 0
        for (const { gap, size } of all) {
          at += gap
          const end = service.finish(at, size)
          const start = end - size
          assert.ok(start >= at)
          assert.ok(ends.filter((other) => other > start).length < slots)
          if (start > at) assert.ok(ends.filter((other) => other >= start).length >= slots)
          ends.push(end)
        }
      }),
    )
  })

  test('that pauses goes on with its work afterwards', () => {
    const pause = { every: 10_000, from: 4000, lasts: 1000, speed: 0 }
    const end = (start: number, work: number) => endOfWork(start, work, pause)
    assert.equal(end(3990, 10), 4000)
    assert.equal(end(3990, 20), 5010)
    assert.equal(end(4500, 5), 5005)
    assert.equal(end(5000, 5), 5005)
    assert.equal(end(3990, 9010), 14_000)
    assert.equal(end(3990, 9020), 15_010)
  })

  test('that is slow for a while', () => {
    const slow = { every: 8000, from: 6000, lasts: 2000, speed: 0.25 }
    const end = (start: number, work: number) => endOfWork(start, work, slow)
    assert.equal(end(0, 100), 100)
    assert.equal(end(5990, 20), 6040)
    assert.equal(end(6000, 100), 6400)
    assert.equal(end(7980, 100), 8095)
    // A whole period does 6000 and 500 of work.
    assert.equal(end(0, 6500 * 3 + 1), 24_001)
  })

  test('answers are taken in the order in which they are due, and of equal ones in that in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10)), fc.nat(10), (dues, now) => {
        const answers = new Answers<{ due: number; index: number }>()
        const all = dues.map((due, index) => ({ due, index }))
        for (const one of all) answers.add(one.due, one)
        const sorted = all.toSorted((one, other) => one.due - other.due)
        assert.equal(answers.next, sorted[0]?.due ?? Infinity)
        const [due, left] = [sorted.filter((one) => one.due <= now), sorted.filter((one) => one.due > now)]
        assert.deepEqual(answers.dueAt(now), due)
        assert.deepEqual(answers.dueAt(Infinity), left)
      }),
    )
  })
})

describe('what clients saw', () => {
  test('quantiles are exact', () => {
    const times = Array.from({ length: 2000 }, (_, index) => 2000 - index)
    assert.deepEqual(latenciesOf(times), { p50: 1000, p95: 1900, p99: 1980, p999: 1998 })
  })

  test('requests count by when they were due, answers by when they came', () => {
    const well = (at: number, took: number): Asked => ({ at, took, problem: '' })
    const asked = [
      well(500, 100),
      well(980, 30),
      well(990, 20),
      well(1000, 5),
      well(1500, 7),
      well(2999, 10),
      well(3000, 1),
    ]
    const { sent, perSecond, p50, p999 } = figuresOf(asked, { from: 1000, until: 3000 })
    // Of 980, 990, 1000 and 1500 the answers came within the two seconds.
    assert.deepEqual({ sent, perSecond, p50, p999 }, { sent: 7, perSecond: 2, p50: 7, p999: 10 })
  })

  test('who gave up counts with the time for which it waited, and is no error', () => {
    const asked = [
      { at: 0, took: 5, problem: '' },
      { at: 0, took: 8000, problem: 'unanswered' },
      { at: 0, took: 1, problem: 'status 502' },
      { at: 0, took: 1, problem: 'status 502' },
    ]
    const { unanswered, errors, p999, perSecond } = figuresOf(asked, { from: 0, until: 1000 })
    assert.deepEqual(
      { unanswered, errors, p999, perSecond },
      { unanswered: 1, errors: { 'status 502': 2 }, p999: 8000, perSecond: 1 },
    )
  })
})

function subject(name: string, isPeer: boolean): TailSubject {
  return { name, title: name, isPeer, version: () => '1', start: () => Promise.reject(new Error('not started here')) }
}

function sample(perSecond: number, p99: number): TailSample {
  const latencies = { p50: 1, p95: 1, p99, p999: p99 }
  const cpu = { cpuPerRequest: 1, busy: 0, loadBusy: 0, othersBusy: 0 }
  return { ...latencies, ...cpu, perSecond, sent: 1, errors: {}, unanswered: 0, shares: [0.75, 0.25] }
}

const measured = new Map([
  [subject('ours', false), [sample(110, 20), sample(90, 30)]],
  [subject('calm-peer', true), [sample(80, 40), sample(90, 32)]],
  [subject('fast-peer', true), [sample(100, 50), sample(120, 60)]],
])

describe('ours against the best peer', () => {
  test('is the fastest for throughput, and the one with the lowest p99 for p99; ratios are taken round by round', () => {
    assert.deepEqual(reachOf(measured), [
      {
        name: 'ours',
        throughput: { best: 'fast-peer', ratio: spread([1.1, 0.75]) },
        p99: { best: 'calm-peer', ratio: spread([0.5, 0.9375]) },
        p999: { best: 'calm-peer', ratio: spread([0.5, 0.9375]) },
      },
    ])
  })

  test('is nothing without peers, and without ours', () => {
    const only = (isPeer: boolean) => new Map([...measured].filter(([one]) => one.isPeer === isPeer))
    assert.deepEqual([reachOf(only(false)), reachOf(only(true))], [[], []])
  })
})

describe('the report', () => {
  const scenario: TailScenario = {
    ...scenarios[0]!,
    backends: [
      { slots: 1, mean: 5 },
      { slots: 1, mean: 50 },
    ],
  }
  const report = reportTails(scenario, measured)

  test('begins with the lowest p99', () => {
    assert.deepEqual(
      report.subjects.map(({ name, p99 }) => [name, p99.median]),
      [
        ['ours', 25],
        ['calm-peer', 36],
        ['fast-peer', 55],
      ],
    )
  })

  test('says what nobody can do better: the fastest backend, without a queue', () => {
    assert.ok(Math.abs(report.floor.p99 - 5 * Math.log(100)) < 0.01)
  })

  test('tells shares of backends that are alike together', () => {
    const [one, other] = [{ slots: 1 }, { slots: 2 }]
    assert.deepEqual(sharesOfAlike([one, { ...one }, other, one], [0.2, 0.3, 0.1, 0.4]), [
      { count: 2, min: 0.2, max: 0.3 },
      { count: 1, min: 0.1, max: 0.1 },
      { count: 1, min: 0.4, max: 0.4 },
    ])
  })

  test('says where ours are as good as wanted, and where worse than the best peer', () => {
    const [reach] = report.reach
    const scenarioOf = (name: string, throughput: number, p99: number): TailScenarioReport => ({
      ...report,
      name,
      reach: [
        {
          ...reach!,
          throughput: { ...reach!.throughput, ratio: spread([throughput]) },
          p99: { ...reach!.p99, ratio: spread([p99]) },
        },
      ],
    })
    const tables = tailsAsMarkdown({
      date: '2026-11-30T00:00:00Z',
      machine: { cpu: 'a', cores: 2, memory: 'b', system: 'c', node: 'd' },
      load: 'e',
      options: { rounds: 1, seconds: 8, arrivals: 'poisson' },
      skipped: [],
      scenarios: [
        scenarioOf('slow-one', 1.15, 0.4),
        scenarioOf('slow-one', 1.14, 0.4),
        scenarioOf('slow-one', 0.95, 0.4),
        scenarioOf('pauses', 1, 0.7),
        scenarioOf('pauses', 1, 1.05),
        scenarioOf('pauses', 1, 1.06),
      ],
    })
    const cells = tables.split('\n').filter((line) => line.includes('fast-peer 110/s, calm-peer 36.0 ms'))
    assert.deepEqual(
      cells.map((line) =>
        line
          .split(' | ')
          .at(-1)!
          .replace(/, 0\.72/, ''),
      ),
      [
        '**1.15, 0.40** |',
        '1.14, 0.40 |',
        '0.95, 0.40 (worse) |',
        '**1.00, 0.70** |',
        '1.00, 1.05 |',
        '1.00, 1.06 (worse) |',
      ],
    )
    // 5 ms × ln 100, and 36 ms.
    assert.ok(cells.every((line) => line.includes(' | 0.64 | ')))
  })

  test('is drawn on a scale where every step is a factor, with every subject', async () => {
    const [first] = report.subjects
    const subjects = [10, 100, 1000].map((p99) => ({ ...first!, title: `<${p99}>`, p99: spread([p99]) }))
    const chart = await svgOf(tailsChart([{ ...report, subjects } satisfies TailScenarioReport]), themes.light)
    const points = /<g class="mark-symbol[^"]*"[^>]*>(.*?)<\/g>/s.exec(chart)![1]!.matchAll(/translate\(([\d.]+),/g)
    const [one = 0, two = 0, three = 0] = [...points].map(([, x]) => Number(x))
    assert.ok(one < two && Math.abs(two - one - (three - two)) < 0.01)
    for (const p99 of [10, 100, 1000]) assert.equal(chart.split(`>&lt;${p99}&gt;<`).length, 2)
  })

  test('has ticks at round numbers, fewer of them where there is more to show', () => {
    assert.deepEqual(ticksWithin(3, 60), [5, 10, 20, 50])
    assert.deepEqual(ticksWithin(0.3, 2), [0.3, 0.4, 0.5, 0.7, 1, 1.5, 2])
    assert.deepEqual(ticksWithin(3, 6000), [10, 100, 1000])
  })
})

describe('the six scenarios', () => {
  test('those with an open loop ask for 60 to 80 % of what backends can do', () => {
    for (const { name, load, backends } of scenarios) {
      if (load.kind !== 'open') continue
      // Work that a backend does in a second, on average over its spells.
      const capacity = backends.reduce((sum, { slots, mean: each, spells }) => {
        const lost = spells === undefined ? 0 : ((1 - spells.speed) * spells.lasts) / spells.every
        return sum + ((1 - lost) * slots * 1000) / each
      }, 0)
      const share = load.rate / capacity
      assert.ok(share > 0.59 && share < 0.81, `${name}: ${share}`)
    }
  })
})

test('a flag is given or not; other options have values', (t) => {
  const given = process.argv
  t.after(() => (process.argv = given))
  const read = (...own: string[]) => {
    process.argv = ['node', 'program', ...own]
    return readArguments({ name: 'p', does: 'd' }, { quick: flag('Quick'), rounds: integer('Rounds', { default: 3 }) })
  }
  assert.deepEqual(read(), { quick: false, rounds: 3 })
  assert.deepEqual(read('--quick', '--rounds', '5'), { quick: true, rounds: 5 })
})

test('the time that the machine was busy is that of programs, and what was stolen from it', () => {
  // As proc(5) has it: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice.
  const [one, other] = ['cpu  100 20 3 9000 800 70 60 5 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0', 'cpu  0 0 0 1 1 1 1 0 0 0\n']
  assert.equal(machineTimeIn(other), 0)
  assert.equal(machineTimeIn(one) / machineTimeIn('cpu  1 0 0 0 0 0 0 0 0 0\n'), 128)
})

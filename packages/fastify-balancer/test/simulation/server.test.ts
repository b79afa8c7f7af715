import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readScenario } from '../../src/simulation/scenario/scenario.ts'
import { SimulatedServer } from '../../src/simulation/world/server.ts'
import { SimulatedClock } from '../../src/simulation/world/simulated-clock.ts'
import type { SimulationOptions } from '../../src/simulation/simulate.ts'
import type { Guest } from '../../src/simulation/world/visit.ts'

type BackendOptions = SimulationOptions['backends'][number]

/** A server that serves everything in 10 ms, and what has come of the visits to it. */
function stage(options: BackendOptions = {}) {
  const service = { distribution: 'constant', mean: 10 } as const
  const { backends } = readScenario({ backends: [{ service, ...options }], arrivals: { rate: 1 } })
  const clock = new SimulatedClock()
  const server = new SimulatedServer(backends[0]!, clock, () => 0.5)
  clock.start()
  server.start()
  const ends: { readonly at: number; readonly what: string }[] = []
  /** Begins one; answers what aborts it. */
  function visit(): () => void {
    let controller: Parameters<Guest['onRequestStart']>[0] | undefined
    let status = 0
    const tell = (what: string) => void ends.push({ at: clock.elapsed, what })
    server.visit(
      { first: 0.5, second: 0.5 },
      {
        onRequestStart: (own) => void (controller = own),
        onRequestSent() {},
        onResponseStart: (_controller, answered) => void (status = answered),
        onResponseEnd: () => tell(String(status)),
        onResponseError: (_controller, error) => tell((error as { code?: string }).code ?? (error as Error).message),
      },
    )
    return () => controller?.abort(new Error('aborted'))
  }
  function advance(to: number): void {
    while (clock.step(to));
  }
  return { clock, server, ends, visit, advance, told: () => ends.map(({ at, what }) => `${at} ${what}`).join(', ') }
}

describe('a simulated server', () => {
  test('serves as many at once as it has places; others wait in order', () => {
    const { visit, advance, told } = stage({ slots: 2 })
    for (let count = 0; count < 5; count++) visit()
    advance(100)
    assert.equal(told(), '10 200, 10 200, 20 200, 20 200, 30 200')
  })

  test('is as far away as its network', () => {
    const { visit, advance, told } = stage({ slots: 1, delay: 4 })
    visit()
    visit()
    advance(100)
    assert.equal(told(), '14 200, 24 200')
  })

  test('one that was aborted while it waited is not begun; one that had a place keeps that', () => {
    const { visit, advance, told } = stage({ slots: 1 })
    const abortFirst = visit()
    const abortSecond = visit()
    visit()
    advance(5)
    abortFirst()
    abortSecond()
    abortSecond()
    advance(100)
    assert.equal(told(), '5 aborted, 5 aborted, 20 200')
  })

  test('stands still in pauses, and is slow in spells', () => {
    const pausing = stage({ slots: 9, pauses: { every: 100, for: 30, from: 5 } })
    pausing.visit()
    pausing.advance(110)
    pausing.visit()
    pausing.advance(400)
    // 5 ms before the pause of 5 to 35, and 5 after it; the second begins in the pause of 105 to 135.
    assert.equal(pausing.told(), '40 200, 145 200')
    const slow = stage({ slots: 9, slow: [{ from: 5, to: 20, factor: 3, every: 50 }] })
    slow.visit()
    slow.advance(60)
    slow.visit()
    slow.advance(200)
    // 5, and a third of the 15 ms of the spell. The second has a third of 10 ms until 70, and the rest at full speed.
    assert.match(slow.told(), /^20(\.0+\d+)? 200, 76\.66\d+ 200$/)
  })

  test('what it has is lost when it dies; connections are refused until it is back', () => {
    const { visit, advance, told } = stage({ slots: 1, down: [{ from: 15, to: 30 }], delay: 2 })
    visit()
    visit()
    visit()
    advance(20)
    visit()
    advance(30)
    visit()
    advance(100)
    assert.equal(told(), '12 200, 15 ECONNRESET, 15 ECONNRESET, 22 ECONNREFUSED, 42 200')
  })

  test('what it has lost takes no place of its next life', () => {
    const { visit, advance, told } = stage({ slots: 1, down: [{ from: 5, to: 6 }] })
    visit()
    advance(7)
    visit()
    visit()
    advance(100)
    assert.equal(told(), '5 ECONNRESET, 17 200, 27 200')
  })

  test('its failures take their own time', () => {
    const { visit, advance, told } = stage({ failures: { share: 0.51, status: 500, after: 3 } })
    visit()
    advance(100)
    assert.equal(told(), '3 500')
    const seldom = stage({ failures: { share: 0.5 } })
    seldom.visit()
    seldom.advance(100)
    assert.equal(seldom.told(), '10 200')
  })
})

test('in whatever order things happen: each visit ends once, and no more are served at once than there are places', () => {
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'visit' as const, value: 0 }) },
    { weight: 2, arbitrary: fc.nat(25).map((value) => ({ kind: 'advance' as const, value })) },
    { weight: 1, arbitrary: fc.nat(50).map((value) => ({ kind: 'abort' as const, value })) },
  )
  const down = fc.array(
    fc.nat(200).map((from) => ({ from, to: from + 7 })),
    { maxLength: 2 },
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 6),
      down,
      fc.array(event),
      (slots, delay, dead, events) => {
        const { clock, server, ends, visit, advance } = stage({ slots, delay, down: dead })
        const aborts: (() => void)[] = []
        for (const { kind, value } of events) {
          if (kind === 'visit') aborts.push(visit())
          else if (kind === 'advance') advance(clock.elapsed + value)
          else aborts[value]?.()
          assert.equal(ends.length + server.visits, aborts.length)
        }
        advance(clock.elapsed + 10_000)
        assert.deepEqual([ends.length, server.visits], [aborts.length, 0])
        const answers = ends.filter(({ what }) => what === '200').map(({ at }) => at)
        // A request that is answered has had a place for the 10 ms before.
        for (const at of answers) {
          const together = answers.filter((other) => other > at - 10 + 1e-6 && other <= at)
          assert.ok(together.length <= slots, `${together.length} at ${at}`)
        }
      },
    ),
    { numRuns: 150 },
  )
})

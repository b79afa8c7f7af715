import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Refusal } from '../../src/workers/channel/messages.ts'
import { Crew } from '../../src/workers/parent/crew.ts'
import type { Member } from '../../src/workers/parent/member.ts'

const refusal: Refusal = { message: 'port 80 is in use', exitCode: 1, report: '' }

/** A crew whose processes are only imagined: what is done to them is written down. */
class Stage {
  readonly clock = new ManualClock()
  /** Processes that have not ended, by number. */
  readonly alive = new Map<number, Member>()
  readonly drained = new Set<number>()
  readonly killed = new Set<number>()
  readonly waits: (number | undefined)[] = []
  readonly ends: { readonly exitCode: number; readonly refusal: Refusal | undefined }[] = []
  timesReady = 0
  readonly crew = new Crew(
    {
      start: (member) => void this.alive.set(member.number, member),
      drain: ({ number }) => void this.drained.add(number),
      kill: ({ number }) => void this.killed.add(number),
      allReady: () => void this.timesReady++,
      died: (_member, _how, wait) => void this.waits.push(wait),
      overdue: () => {},
      over: (exitCode, why) => void this.ends.push({ exitCode, refusal: why }),
    },
    this.clock,
  )

  get numbers(): readonly number[] {
    return [...this.alive.keys()]
  }

  listen(...numbers: readonly number[]): void {
    for (const number of numbers) this.crew.listens(number, 30_000)
  }

  end(number: number): void {
    this.alive.delete(number)
    this.crew.exited(number, 'exit code 1')
  }
}

/** Workers that listen. */
function running(count = 2): Stage {
  const stage = new Stage()
  stage.crew.begin(count)
  stage.listen(...stage.numbers)
  return stage
}

describe('a crew', () => {
  test('is ready once all listen, and not before', () => {
    const stage = new Stage()
    stage.crew.begin(2)
    assert.deepEqual(stage.numbers, [1, 2])
    stage.listen(1)
    assert.equal(stage.timesReady, 0)
    stage.listen(2)
    assert.equal(stage.timesReady, 1)
  })

  test('replaces a worker at once, then later and later, and gives it up after five deaths in a minute', () => {
    const stage = running()
    let last = 2
    for (const wait of [0, 500, 1000, 2000]) {
      stage.end(last)
      assert.equal(stage.waits.at(-1), wait)
      assert.equal(stage.alive.size, 1)
      stage.clock.advance(wait)
      assert.equal(stage.alive.size, 2)
      last = Math.max(...stage.numbers)
    }
    stage.end(last)
    assert.equal(stage.waits.at(-1), undefined)
    stage.clock.advance(600_000)
    assert.deepEqual(stage.numbers, [1])
    assert.deepEqual(stage.ends, [])
  })

  test('forgets deaths after a minute', () => {
    const stage = running()
    for (let death = 0; death < 20; death++) {
      stage.end(Math.max(...stage.numbers))
      stage.clock.advance(60_000)
    }
    assert.deepEqual(new Set(stage.waits), new Set([0]))
  })

  test('ends with 1 once no worker is left, nor will be', () => {
    const stage = running()
    for (let death = 0; death < 5; death++) {
      for (const number of stage.numbers) stage.end(number)
      stage.clock.advance(4000)
    }
    assert.deepEqual(stage.ends, [{ exitCode: 1, refusal: undefined }])
  })

  test('ends with the reason of the first that cannot start, told once', () => {
    const stage = new Stage()
    stage.crew.begin(2)
    stage.crew.refuses(2, refusal)
    stage.crew.refuses(1, { ...refusal, message: 'another' })
    assert.deepEqual(stage.killed, new Set([1, 2]))
    stage.end(1)
    assert.deepEqual(stage.ends, [])
    stage.end(2)
    assert.deepEqual(stage.ends, [{ exitCode: 1, refusal }])
  })

  test('lets the workers before go when all new ones listen, and not before', async () => {
    const stage = running()
    const restarted = stage.crew.restart(3)
    assert.deepEqual(stage.numbers, [1, 2, 3, 4, 5])
    assert.deepEqual(
      stage.crew.members.map((member) => stage.crew.wanted(member)),
      [2, 2, 3, 3, 3],
    )
    stage.listen(3, 5)
    assert.equal(stage.drained.size, 0)
    stage.listen(4)
    assert.deepEqual(stage.drained, new Set([1, 2]))
    assert.equal(await restarted, undefined)
    for (const number of [1, 2]) stage.end(number)
    assert.deepEqual(
      stage.crew.ready.map((member) => [member.number, stage.crew.wanted(member)]),
      [
        [3, 3],
        [4, 3],
        [5, 3],
      ],
    )
    assert.deepEqual(stage.waits, [])
  })

  test('goes on with the workers before when a new one cannot start, dies, or takes too long', async () => {
    const failures: readonly [(stage: Stage) => void, RegExp][] = [
      [(stage) => stage.crew.refuses(4, refusal), /^port 80 is in use$/],
      [(stage) => stage.end(4), /a new worker ended before it listened: exit code 1/],
      [(stage) => stage.clock.advance(60_000), /did not listen within 60 s/],
    ]
    for (const [fail, why] of failures) {
      const stage = running()
      const restarted = stage.crew.restart(2)
      stage.listen(3)
      fail(stage)
      assert.match((await restarted)!, why)
      assert.ok(!stage.drained.has(1) && !stage.drained.has(2))
      assert.ok(stage.drained.has(3))
      assert.deepEqual(
        stage.crew.ready.map(({ number }) => number),
        [1, 2],
      )
      // And the next one can succeed.
      const again = stage.crew.restart(1)
      stage.listen(5)
      assert.equal(await again, undefined)
      assert.deepEqual(
        stage.crew.ready.map(({ number }) => number),
        [5],
      )
    }
  })

  test('refuses a restart while one is under way, before it has begun, and while it stops', async () => {
    const stage = new Stage()
    stage.crew.begin(1)
    assert.match((await stage.crew.restart(1))!, /still starting/)
    stage.listen(1)
    const first = stage.crew.restart(1)
    assert.match((await stage.crew.restart(1))!, /under way/)
    stage.crew.stop()
    assert.match((await first)!, /stopping/)
    assert.match((await stage.crew.restart(1))!, /stopping/)
  })

  test('kills a worker that has not stopped 5 s after its drain deadline', () => {
    const stage = running()
    stage.crew.stop()
    stage.clock.advance(34_999)
    assert.equal(stage.killed.size, 0)
    stage.clock.advance(1)
    assert.deepEqual(stage.killed, new Set([1, 2]))
  })

  test('in whatever order things happen: one worker for each place, no gap at a restart, and one end', async () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant('listen' as const), which: fc.nat(20) }),
      fc.record({ what: fc.constant('end' as const), which: fc.nat(20) }),
      fc.record({ what: fc.constant('refuse' as const), which: fc.nat(20) }),
      fc.record({ what: fc.constant('restart' as const), which: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ what: fc.constant('wait' as const), which: fc.nat(70_000) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), async (count, steps) => {
        const stage = running(count)
        const { crew, alive } = stage
        const restarts: Promise<string | undefined>[] = []
        for (const { what, which } of steps) {
          const number = stage.numbers[which % Math.max(1, alive.size)]
          const serving = crew.ready.length
          const drainedBefore = stage.drained.size
          if (what === 'restart') restarts.push(crew.restart(which))
          else if (what === 'wait') stage.clock.advance(which)
          else if (number !== undefined) {
            if (what === 'listen') stage.listen(number)
            else if (what === 'refuse') crew.refuses(number, refusal)
            else stage.end(number)
          }
          // Whatever goes by order leaves somebody who serves.
          if (stage.drained.size > drainedBefore && serving > 0 && !crew.isStopping) assert.ok(crew.ready.length > 0)
          const places = crew.members
            .filter(({ state }) => state !== 'draining')
            .map(({ place, generation }) => `${generation}/${place}`)
          assert.equal(new Set(places).size, places.length)
          assert.deepEqual(
            crew.members.map((one) => one.number),
            stage.numbers,
          )
        }
        crew.stop()
        for (const number of stage.numbers) stage.end(number)
        assert.equal(stage.ends.length, 1)
        // None of those who have asked waits for ever, and nothing is left to be done.
        await Promise.all(restarts)
        assert.equal(stage.clock.pending, 0)
      }),
      { numRuns: 500 },
    )
  })
})

import type { Backend } from '@fastify-balancer/balancer-core'
import { Pauses } from '@fastify-balancer/option-schema'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { Schedule } from '../../src/active/schedule.ts'
import type { ProbeReport } from '../../src/probe/probing.ts'
import { Duty } from '../../src/sharing/duty.ts'
import { keeperOf, type InstancePart } from '../../src/sharing/fleet-part.ts'

const interval = 5000
const timeout = 2000
const probeTime = 100
/** No longer than this nothing is known: the others' patience, and the probe of one who stands in. */
const longestSilence = 2 * interval + timeout + probeTime

/** One instance, which sees one backend. */
interface Member {
  readonly schedule: Schedule
  readonly keeping: { isKeeper: boolean }
  /** The begin of the newest probe that it knows of. */
  knows: number
  isAlive: boolean
}

/** Instances at one clock, which hear each other at once, or not at all. */
class World {
  readonly clock = new ManualClock(1000)
  readonly members: Member[] = []
  /** When probes began, and by which instance. */
  readonly probes: { readonly at: number; readonly by: number }[] = []
  isHeard = true
  /** The longest time for which an instance that lives has known nothing new. */
  longest = 0

  join(isKeeper: boolean): void {
    const { clock } = this
    const number = this.members.length
    const keeping = { isKeeper }
    const table = {
      clock,
      pauses: new Pauses(clock),
      random: () => 0.5,
      probe: (_backend: Backend, probing: { good(received: string): void }) => {
        this.probes.push({ at: clock.now(), by: number })
        clock.setTimeout(() => probing.good('good'), probeTime)
      },
      timeout,
      intervals: { interval, fastInterval: interval, downInterval: interval },
      jitter: 0,
    }
    const onReport = (report: ProbeReport) => {
      const startedAt = clock.now() - report.timings.took
      this.#know(member, startedAt)
      if (this.isHeard) this.#tell(member, report, startedAt)
      return 'interval' as const
    }
    const schedule = new Schedule({ id: 'a' } as Backend, table, onReport, new Duty(keeping))
    const member: Member = { schedule, keeping, knows: clock.now(), isAlive: true }
    this.members.push(member)
    schedule.begin('interval')
  }

  /** This one is the keeper for all; for those in `mistaken` they are it themselves. */
  keep(keeper: number, mistaken: readonly number[] = []): void {
    for (const [number, { keeping, schedule }] of this.members.entries()) {
      const isKeeper = number === keeper || mistaken.includes(number)
      if (keeping.isKeeper === isKeeper) continue
      keeping.isKeeper = isKeeper
      schedule.keeperChanged()
    }
  }

  die(number: number): void {
    const member = this.members[number]
    if (member === undefined) return
    member.isAlive = false
    member.schedule.stop()
  }

  advance(duration: number): void {
    this.clock.advance(duration)
    for (const member of this.members) this.#measure(member)
  }

  end(): void {
    for (const { schedule } of this.members) schedule.stop()
  }

  #tell(from: Member, report: ProbeReport, startedAt: number): void {
    for (const member of this.members) {
      if (member === from || !member.isAlive) continue
      this.#know(member, startedAt)
      member.schedule.heard({ report, startedAt, pace: 'interval', isKeepers: from.keeping.isKeeper })
    }
  }

  #know(member: Member, startedAt: number): void {
    this.#measure(member)
    member.knows = Math.max(member.knows, startedAt)
  }

  #measure({ isAlive, knows }: Member): void {
    if (isAlive) this.longest = Math.max(this.longest, this.clock.now() - knows)
  }
}

function world(count: number): World {
  const made = new World()
  for (let number = 0; number < count; number++) made.join(number === 0)
  return made
}

const since = ({ probes }: World, time: number) => probes.filter(({ at }) => at > time)

describe('who probes', () => {
  test('the keeper alone, as often as one that is alone', () => {
    const one = world(5)
    one.advance(100_000)
    assert.deepEqual(new Set(one.probes.map(({ by }) => by)), new Set([0]))
    assert.equal(one.probes.length, 20)
    one.end()
  })

  test('when the keeper is silent for two intervals and the time of a probe, another one, until the keeper is heard', () => {
    const one = world(2)
    one.advance(interval / 2 + probeTime)
    const last = one.probes[0]!.at
    one.members[0]!.schedule.stop()
    one.advance(last + 2 * interval + timeout - 1 - one.clock.now())
    assert.equal(one.probes.length, 1)
    one.advance(1)
    assert.deepEqual(one.probes[1], { at: last + 2 * interval + timeout, by: 1 })
    one.advance(3 * interval)
    assert.deepEqual(
      one.probes.slice(2).map(({ at }) => at - one.probes[1]!.at),
      [interval, 2 * interval, 3 * interval],
    )
    const report = { good: true, at: 0, sent: '', received: '', timings: { took: 0 } }
    const startedAt = one.clock.now()
    one.advance(probeTime)
    one.members[1]!.schedule.heard({ report, startedAt, pace: 'interval', isKeepers: true })
    one.advance(2 * interval)
    assert.equal(one.probes.length, 5, 'it waits again')
    one.end()
  })

  test('when no report is heard, each for itself', () => {
    const one = world(3)
    one.isHeard = false
    one.advance(60_000)
    for (const by of [0, 1, 2]) assert.ok(one.probes.filter((probe) => probe.by === by).length >= 9, `${by}`)
    one.end()
  })

  test('a new keeper at once what is due, and nobody else meanwhile', () => {
    const one = world(3)
    one.advance(interval / 2 + probeTime)
    one.die(0)
    one.advance(interval + 500)
    assert.equal(one.probes.length, 1)
    const now = one.clock.now()
    one.keep(1)
    one.advance(0)
    assert.deepEqual(one.probes.slice(1), [{ at: now, by: 1 }])
    one.advance(10 * interval)
    assert.deepEqual(new Set(one.probes.slice(1).map(({ by }) => by)), new Set([1]))
    one.end()
  })

  test('two that both believe to be the keeper probe no more often than one', () => {
    const one = world(3)
    one.advance(10_000)
    one.keep(0, [2])
    const from = one.clock.now()
    one.advance(20 * interval)
    const times = new Set(since(one, from).map(({ at }) => at))
    assert.equal(times.size, 20)
    one.end()
  })
})

type Step =
  | { readonly kind: 'pass'; readonly duration: number }
  | { readonly kind: 'hear'; readonly isHeard: boolean }
  | { readonly kind: 'join' }
  | { readonly kind: 'keeper dies' }
  | { readonly kind: 'notice'; readonly mistaken: readonly number[] }
  | { readonly kind: 'doubt'; readonly number: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), duration: fc.integer({ min: 1, max: 15_000 }) }),
  fc.record({ kind: fc.constant('hear' as const), isHeard: fc.boolean() }),
  fc.record({ kind: fc.constant('join' as const) }),
  fc.record({ kind: fc.constant('keeper dies' as const) }),
  fc.record({
    kind: fc.constant('notice' as const),
    mistaken: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant('doubt' as const), number: fc.integer({ min: 0, max: 5 }) }),
)

/** The first that lives. */
const oldest = ({ members }: World) => members.findIndex(({ isAlive }) => isAlive)

function take(one: World, now: Step): void {
  if (now.kind === 'pass') one.advance(now.duration)
  else if (now.kind === 'hear') one.isHeard = now.isHeard
  else if (now.kind === 'join') one.join(oldest(one) === -1)
  else if (now.kind === 'keeper dies') one.die(oldest(one))
  else if (now.kind === 'notice') one.keep(oldest(one), now.mistaken)
  else if (one.members[now.number]?.isAlive === true) one.members[now.number]!.schedule.hasten()
}

test('when reports are lost and instances die, one probe comes each interval in the end, and all hear of it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const one = world(3)
      for (const now of steps) take(one, now)
      if (oldest(one) === -1) one.join(true)
      one.isHeard = true
      one.keep(oldest(one))
      one.advance(3 * longestSilence)
      const from = one.clock.now()
      one.longest = 0
      one.advance(20 * interval)
      const probes = since(one, from)
      assert.deepEqual([...new Set(probes.map(({ by }) => by))], [oldest(one)])
      assert.equal(probes.length, 20)
      assert.ok(one.longest <= interval + probeTime)
      one.end()
    }),
  )
})

test('nobody goes without news for longer than two intervals and a probe, unless others get their time anew', () => {
  const faults = step.filter(({ kind }) => kind === 'pass' || kind === 'hear' || kind === 'keeper dies')
  fc.assert(
    fc.property(fc.array(faults, { maxLength: 40 }), (steps) => {
      const one = world(4)
      for (const now of steps) take(one, now)
      assert.ok(one.longest <= longestSilence, `${one.longest}`)
      one.end()
    }),
  )
})

test('the keeper is the oldest that probes the same and is not draining', () => {
  const told = (id: string, terms: string | undefined, state = 'ready'): InstancePart => ({
    id,
    state,
    about: terms === undefined ? {} : { probes: terms },
  })
  const keeper = (...all: readonly InstancePart[]) => keeperOf(all, 'probes', 'x', 'me')
  assert.equal(keeper(), undefined)
  assert.equal(keeper(told('one', 'x'), told('me', 'x')), 'one')
  assert.equal(keeper(told('one', 'x', 'starting'), told('me', 'x')), 'one')
  assert.equal(keeper(told('one', 'x', 'draining'), told('me', 'x'), told('two', 'x')), 'me')
  assert.equal(keeper(told('one', 'x', 'draining'), told('me', 'x', 'draining')), 'one', 'somebody must')
  assert.equal(keeper(told('one', 'y'), told('off', undefined), told('me', 'y')), 'me', 'it knows best what it probes')
})

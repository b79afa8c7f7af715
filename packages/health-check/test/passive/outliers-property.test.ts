import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Veto, VetoOptions } from '@fastify-balancer/balancer-core'
import { Detecting, type Played } from './detecting.ts'

/** Always the same, so that what fails on one machine fails on all. */
const runs = { seed: 20_260_301, numRuns: 2000 }
const interval = 1000
const ejectFor = 3000
const maxEjectFor = 7000
const cap = 2000

/** One thing that happens; `index` is that of a backend, modulo their number. */
type Step =
  | { readonly do: 'advance'; readonly by: number }
  | { readonly do: 'answer'; readonly index: number; readonly status: number; readonly times: number }
  | { readonly do: 'fail'; readonly index: number; readonly times: number }
  | { readonly do: 'begin'; readonly index: number }
  | { readonly do: 'end'; readonly index: number; readonly status: number }
  | { readonly do: 'pressure'; readonly index: number; readonly status: 429 | 503; readonly seconds: number }
  | { readonly do: 'probe'; readonly index: number; readonly changed: boolean }
  | { readonly do: 'lift' | 'steal'; readonly index: number }
  | { readonly do: 'veto'; readonly index: number; readonly hard: boolean }
  | { readonly do: 'unveto' }
  | { readonly do: 'add' }
  | { readonly do: 'remove'; readonly index: number }

const index = fc.nat({ max: 20 })
const status = fc.constantFrom(200, 404, 500, 502, 503)
const times = fc.integer({ min: 1, max: 6 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), by: fc.integer({ min: 1, max: 4000 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('answer' as const), index, status, times }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), index, times }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('begin' as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), index, status }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pressure' as const),
      index,
      status: fc.constantFrom(429 as const, 503 as const),
      seconds: fc.integer({ min: 0, max: 4 }),
    }),
  },
  fc.record({ do: fc.constant('probe' as const), index, changed: fc.boolean() }),
  fc.record({ do: fc.constantFrom('lift' as const, 'steal' as const), index }),
  fc.record({ do: fc.constant('veto' as const), index, hard: fc.boolean() }),
  fc.record({ do: fc.constant('unveto' as const) }),
  fc.record({ do: fc.constant('add' as const) }),
  fc.record({ do: fc.constant('remove' as const), index }),
)

const isOurs = ({ by }: Veto) => by === 'outlier-detection' || by === 'pressure'

/** Watches every veto that is laid, whoever lays it. */
class Watched {
  readonly one: Detecting
  readonly #share: number
  readonly #jitter: number
  readonly #open: Played[] = []
  readonly #others: Veto[] = []
  #names = 0

  constructor(count: number, share: number, jitter: number, seed: number) {
    let state = seed
    const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
    this.#share = share
    this.#jitter = jitter
    const backends = Array.from({ length: count }, () => this.#newcomer())
    this.one = new Detecting('', {
      outliers: { interval, ejectFor, maxEjectFor, jitter, maxEjected: share },
      pressure: { heed: '429-and-503', cap },
      balancer: { backends, random, drainDeadline: 1 },
    })
    const { balancer } = this.one
    const { veto } = balancer
    balancer.veto = (backend, options) => {
      if (options.by === 'test') return veto.call(balancer, backend, options)
      assert.ok(!backend.vetoes.some(({ by }) => by === options.by), `${options.by} lays no second veto`)
      assert.ok(balancer.set.all.includes(backend), 'only on a member of the set')
      const laid = veto.call(balancer, backend, options)
      const { all } = balancer.set
      const out = all.filter(({ vetoes }) => vetoes.some(isOurs))
      assert.ok(out.length <= Math.floor(share * all.length + 1e-9), 'not more than the ceiling allows')
      if (backend.vetoes.length === 1)
        assert.ok(
          all.some(({ vetoes }) => vetoes.length === 0),
          'one is left',
        )
      if (options.by === 'outlier-detection') this.#checkSpan(options)
      return laid
    }
  }

  #checkSpan({ evidence }: VetoOptions): void {
    const { until, timesEjected } = evidence as { until: number; timesEjected: number }
    const span = until - this.now
    const plain = Math.min(ejectFor * timesEjected, maxEjectFor)
    assert.ok(span >= plain && span <= Math.ceil(plain * (1 + this.#jitter)), `${span} ms the ${timesEjected}th time`)
  }

  #newcomer() {
    const id = `b${this.#names++}`
    return { id, url: `http://${id}.test` }
  }

  async play(step: Step): Promise<void> {
    const { one } = this
    const { all } = one.balancer.set
    const id = 'index' in step ? all[step.index % all.length]!.id : ''
    switch (step.do) {
      case 'advance':
        return one.clock.advance(step.by)
      case 'answer':
        return one.answer(id, step.status, step.times)
      case 'fail':
        return one.fail(id, 'connect-refused', step.times)
      case 'begin':
        return void this.#open.push(one.begin(id))
      case 'end':
        return this.#end(this.#open.splice(step.index % (this.#open.length || 1), 1)[0], step.status)
      case 'pressure':
        return this.#press(id, step.status, step.seconds)
      case 'probe':
        return one.detection.goodProbe(one.backend(id), step.changed)
      case 'lift':
        return void one.detection.lift(one.backend(id))
      case 'steal':
        return one.backend(id).vetoes.find(isOurs)?.lift()
      case 'veto':
        return void this.#others.push(
          one.balancer.veto(one.backend(id), { by: 'test', reason: 'another opinion', hard: step.hard }),
        )
      case 'unveto':
        return this.#others.pop()?.lift()
      case 'add':
        return void (await one.balancer.add(this.#newcomer()))
      case 'remove':
        if (all.length > 1) await one.balancer.remove(id, { force: true })
    }
  }

  /** Neither more nor less than what is granted is pressure. */
  #press(id: string, answered: number, seconds: number): void {
    // What begins in the instant in which a veto is lifted counts nothing, whatever it is answered.
    this.one.clock.advance(1)
    const before = this.one.of(id)
    this.one.answer(id, answered, 1, { 'retry-after': String(seconds) })
    const after = this.one.of(id)
    if (before.ejected !== null || after.ejected !== null) return
    const counted = answered === 503 && (seconds === 0 || after.paused === null) ? 1 : 0
    assert.equal(after.interval.failures - before.interval.failures, counted)
    assert.equal(after.interval.attempts - before.interval.attempts, counted)
  }

  #end(attempt: Played | undefined, answered: number): void {
    if (attempt === undefined) return
    this.one.respond(attempt, answered)
    this.one.end(attempt)
  }

  /** What must hold between any two steps. */
  check(): void {
    const { all } = this.one.balancer.set
    const out = all.filter(({ vetoes }) => vetoes.some(isOurs))
    assert.ok(out.length <= Math.floor(this.#share * all.length + 1e-9), 'not more are out than the ceiling allows')
    for (const backend of all) {
      const ours = backend.vetoes.filter(isOurs).map(({ by }) => by)
      assert.equal(new Set(ours).size, ours.length, 'one veto of each owner')
      const { ejected, paused } = this.one.of(backend.id)
      if (ours.includes('outlier-detection')) assert.ok(ejected !== null)
      if (ours.includes('pressure')) assert.ok(paused !== null)
      if (paused !== null) assert.ok(paused.until <= this.now + cap)
      if (ejected !== null) assert.ok(ejected.until <= this.now + Math.ceil(maxEjectFor * (1 + this.#jitter)))
    }
  }

  get now(): number {
    return Date.UTC(2026, 2, 1) + this.one.clock.now()
  }
}

const world = fc.tuple(
  fc.integer({ min: 1, max: 7 }),
  fc.constantFrom(0, 0.2, 0.5, 1),
  fc.constantFrom(0, 0.1, 1),
  fc.nat(),
)

test('whatever happens, the ceiling holds, no veto is laid twice, and none is left in the end', async () => {
  await fc.assert(
    fc.asyncProperty(world, fc.array(anyStep, { maxLength: 80 }), async (given, steps) => {
      const watched = new Watched(...given)
      const { one } = watched
      for (const step of steps) {
        await watched.play(step)
        watched.check()
      }
      // With nothing but successes everything comes back, and is forgiven.
      for (let round = 0; round < 30; round++) {
        one.clock.advance(interval)
        for (const { id } of one.balancer.set.all) one.answer(id)
      }
      assert.ok(!one.balancer.set.all.some(({ vetoes }) => vetoes.some(isOurs)), 'they do come back')
      for (const { id, vetoes } of one.balancer.set.all) {
        for (const veto of vetoes) veto.lift()
        one.answer(id)
      }
      one.clock.advance(interval * 90)
      for (const { id } of one.balancer.set.all) {
        const { timesEjected, ejected, paused, withheld } = one.of(id)
        assert.deepEqual([timesEjected, ejected, paused, withheld], [0, null, null, null])
      }
      one.detection.stop()
      await one.balancer.close()
      one.clock.advance(1e9)
      assert.equal(one.clock.pending, 0)
      assert.equal(one.out, '')
      const balance = new Map<string, number>()
      for (const { id, by, good } of one.judgements) {
        const key = `${id} ${by}`
        const next = (balance.get(key) ?? 0) + (good ? -1 : 1)
        assert.ok(next === 0 || next === 1, 'beginnings and ends take turns')
        balance.set(key, next)
      }
    }),
    runs,
  )
})

test('a late outcome moves nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(200, 404, 500, 502, 'connect-refused', 'client-gone', 'headers-timeout'), {
        minLength: 1,
        maxLength: 30,
      }),
      fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 10 }),
      (ends, waits) => {
        const one = new Detecting('abc', { outliers: { interval, ejectFor } })
        const late = ends.map(() => one.begin('a'))
        one.clock.advance(1)
        one.answer('a', 500, 5)
        for (const [at, end] of ends.entries()) {
          one.clock.advance(waits[at] ?? 0)
          const { waiting, longestWait, ...before } = one.of('a')
          const judged = one.judgements.length
          const attempt = late[at]!
          if (typeof end === 'number') {
            one.respond(attempt, end)
            one.end(attempt)
          } else one.end(attempt, end as 'client-gone')
          const { waiting: left, longestWait: rest, ...after } = one.of('a')
          assert.deepEqual(after, before)
          assert.equal(one.judgements.length, judged)
          assert.equal(left, waiting - 1)
          assert.ok(rest <= longestWait)
        }
        one.detection.stop()
        assert.equal(one.clock.pending, 0)
      },
    ),
  )
})

import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Attempt } from '../../src/attempt/attempt.ts'
import type { Backend } from '../../src/backends/backend.ts'
import type { TurnedAway } from '../../src/picking/queue/line.ts'
import type { Veto } from '../../src/backends/veto.ts'
import { Balancer, type WaitingExchange } from '../../src/balancer.ts'
import { maxLastResorts } from '../../src/picking/last-resort.ts'

const runs = { seed: 20_260_101, numRuns: 2000 }
const opened: Balancer[] = []
after(() => Promise.all(opened.map((balancer) => balancer.close())))

/** A request that goes where it is sent, and remembers in which order it came to wait. */
interface Request extends WaitingExchange {
  readonly attempts: Attempt[]
  running: Attempt | undefined
  /** 0 = it does not wait. */
  ticket: number
  /** 0 is the most important class. */
  readonly importance: number
}

const classes = ['high', 'normal', 'low'] as const
const target = 5
const interval = 20

/** How the queue is set up: without classes, the others are as before. */
interface QueueKind {
  readonly classes: boolean
  readonly shed: boolean
  readonly max: number
}

/** What may happen between two looks. */
type Step =
  | { readonly do: 'arrive'; readonly times: number; readonly home: number | undefined; readonly importance: number }
  | { readonly do: 'finish'; readonly index: number }
  | { readonly do: 'leave'; readonly index: number }
  | { readonly do: 'fail'; readonly index: number; readonly received: boolean }
  | { readonly do: 'veto'; readonly index: number; readonly hard: boolean }
  | { readonly do: 'lift'; readonly index: number }
  | { readonly do: 'resize'; readonly index: number; readonly places: number }
  | { readonly do: 'limit'; readonly index: number; readonly places: number }
  | { readonly do: 'wait'; readonly duration: number }
  | { readonly do: 'rest' }

const anyIndex = fc.nat({ max: 99 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      times: fc.integer({ min: 1, max: 4 }),
      home: fc.option(anyIndex, { nil: undefined }),
      importance: fc.nat({ max: 2 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const), index: anyIndex }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('fail' as const), index: anyIndex, received: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('rest' as const) }) },
  fc.record({ do: fc.constant('leave' as const), index: anyIndex }),
  fc.record({ do: fc.constant('veto' as const), index: anyIndex, hard: fc.boolean() }),
  fc.record({ do: fc.constant('lift' as const), index: anyIndex }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      index: anyIndex,
      places: fc.constantFrom(1, 2, Infinity),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), duration: fc.integer({ min: 1, max: 2 * interval }) }),
  },
  fc.record({ do: fc.constant('resize' as const), index: anyIndex, places: fc.integer({ min: 1, max: 3 }) }),
)
const anyBackend = fc.record({ priority: fc.nat({ max: 1 }), places: fc.integer({ min: 1, max: 3 }) })

const anyQueue: fc.Arbitrary<QueueKind> = fc.record({
  classes: fc.boolean(),
  shed: fc.boolean(),
  max: fc.oneof(fc.constant(1024), fc.integer({ min: 0, max: 6 })),
})

/** The rule itself, written down once more: where a request may be sent, whether there is room or not. */
function usableBy({ attempts }: Request, { backends }: Balancer): readonly Backend[] {
  const untried = (backend: Backend) => !attempts.some((attempt) => attempt.backend === backend)
  const permitted = backends.filter(({ vetoes }) => vetoes.every(({ hard }) => !hard))
  const healthy = permitted.filter(({ vetoes }) => vetoes.length === 0)
  const chosen = healthy.length > 0 ? healthy : permitted
  const preferred = Math.min(...chosen.map(({ priority }) => priority))
  const available = chosen.filter(({ priority }) => priority === preferred)
  const first = available.filter(untried)
  if (first.length > 0 || attempts.length === 0) return first
  const spare = chosen.filter((backend) => !available.includes(backend)).filter(untried)
  if (spare.length > 0) return spare
  const isLost = attempts.some(({ started }) => started)
  const isSpent = attempts.filter(({ lastResort }) => lastResort).length >= maxLastResorts
  return isLost || isSpent ? [] : permitted.filter(({ vetoes }) => vetoes.length > 0).filter(untried)
}

/** A balancer and those who use it, with what must hold after each step. */
class Stage {
  readonly balancer: Balancer
  readonly requests: Request[] = []
  readonly vetoes: Veto[] = []
  readonly #clock = new ManualClock()
  readonly #kind: QueueKind
  readonly #capacities = new Map<Backend, number>()
  /** Since when somebody of a class has been waiting. */
  readonly #busySince = new Map<number, number>()
  #tickets = 0
  /** Who has been displaced by the one that is just entering. */
  #displaced: Request | undefined

  constructor(backends: readonly { priority: number; places: number }[], kind: QueueKind) {
    this.#kind = kind
    this.balancer = new Balancer({
      queue: {
        max: kind.max,
        ...(kind.classes && { priority: { classes, default: 'normal', header: 'x-priority', share: 0 } }),
        ...(kind.shed && { shed: 'codel', target, interval }),
      },
      clock: this.#clock,
      pool: { connections: 3 },
      timeouts: { connect: 0 },
      backends: backends.map(({ priority, places }, index) => {
        return { url: `http://b${index}.test`, id: `b${index}`, priority, maxInFlight: places }
      }),
    })
    opened.push(this.balancer)
  }

  /** `home` is where its client has signed in, if it has. */
  arrive(home: Backend | undefined, importance: number): void {
    const { balancer } = this
    const request = {
      method: 'GET',
      url: '/',
      headers: {},
      home,
      clock: this.#clock,
      attempts: [],
      running: undefined,
      ticket: 0,
      importance: this.#kind.classes ? importance : 0,
      previousWaiter: undefined,
      nextWaiter: undefined,
      waiting: false,
      attempt: (attempt: Attempt) => this.#go(request, attempt),
      turnAway: (reason: TurnedAway) => this.#turnedAway(request, reason),
    } as unknown as Request
    this.requests.push(request)
    this.#seek(request, balancer.pick(request))
  }

  /** It has ended at its backend: well, or so that it looks for another one. */
  end(request: Request, how: 'ok' | 'sent' | 'never-sent'): void {
    const attempt = request.running!
    request.running = undefined
    attempt.started = how !== 'never-sent'
    this.balancer.counts.attemptEnded(attempt, how === 'ok' ? 'ok' : 'connect-refused')
    if (how === 'ok') this.requests.splice(this.requests.indexOf(request), 1)
    else this.#seek(request, this.balancer.pick(request))
  }

  leave(request: Request): void {
    this.balancer.queue.leave(request)
    this.requests.splice(this.requests.indexOf(request), 1)
  }

  #seek(request: Request, answer: Attempt | 'saturated' | 'none'): void {
    if (typeof answer === 'object') this.#go(request, answer)
    else if (answer === 'saturated') this.#wait(request)
    else {
      assert.deepEqual(usableBy(request, this.balancer), [], 'it was told that nobody is left')
      this.requests.splice(this.requests.indexOf(request), 1)
    }
  }

  /** Those that wait in a class. */
  #waitingIn(importance: number): readonly Request[] {
    return this.requests.filter((request) => request.waiting && request.importance === importance)
  }

  #isOverloaded(importance: number): boolean {
    const since = this.#busySince.get(importance) ?? Infinity
    const isBusy = this.#kind.shed && this.#waitingIn(importance).length > 0
    return isBusy && this.#clock.now() - since >= interval
  }

  #wait(request: Request): void {
    const { importance } = request
    const { queue } = this.balancer
    if (this.#waitingIn(importance).length === 0) this.#busySince.set(importance, this.#clock.now())
    const lowest = [2, 1, 0].find((other) => this.#waitingIn(other).length > 0) ?? 0
    this.#displaced = undefined
    const hasEntered = queue.enter(request, this.#kind.classes ? classes[importance] : undefined)
    if (hasEntered) request.ticket = ++this.#tickets
    else {
      assert.ok(queue.length >= this.#kind.max && lowest <= importance, 'it was refused for no reason')
      this.requests.splice(this.requests.indexOf(request), 1)
    }
    const displaced = this.#displaced as Request | undefined
    assert.ok(displaced === undefined || (hasEntered && displaced.importance > importance), 'an equal was displaced')
    assert.ok(queue.length <= this.#kind.max, 'more wait than may')
    for (const other of [0, 1, 2]) {
      const late = this.#waitingIn(other).filter(({ waitingSince }) => this.#clock.now() - waitingSince > target)
      assert.ok(!this.#isOverloaded(other) || late.length <= 1, 'it waits too long in overload')
    }
  }

  #turnedAway(request: Request, reason: TurnedAway): void {
    const { importance } = request
    const others = this.#waitingIn(importance)
    assert.ok(!request.waiting)
    if (reason === 'queue-full') {
      this.#displaced = request
      assert.ok(
        others.every(({ ticket }) => ticket < request.ticket),
        'not the newest was displaced',
      )
      assert.ok(
        [1, 2].every((more) => this.#waitingIn(importance + more).length === 0),
        'not the lowest was displaced',
      )
    } else {
      assert.ok(this.#isOverloaded(importance), 'it was shed without overload')
      assert.ok(this.#clock.now() - request.waitingSince > target, 'it was shed too early')
      assert.ok(
        others.length > 0 && others.every(({ ticket }) => ticket > request.ticket),
        'not the oldest of several was shed',
      )
    }
    this.requests.splice(this.requests.indexOf(request), 1)
  }

  /** Should `other`, which waits, have gone before `request`, which has been waiting? */
  #precedes(other: Request, request: Request): boolean {
    if (other.importance !== request.importance) return other.importance < request.importance
    return this.#isOverloaded(request.importance) ? other.ticket > request.ticket : other.ticket < request.ticket
  }

  limit(backend: Backend, capacity: number): void {
    this.#capacities.set(backend, capacity)
    this.balancer.limit(backend, capacity)
  }

  pass(duration: number): void {
    this.#clock.advance(duration)
  }

  readonly #hasRoom = (backend: Backend) =>
    backend.inFlight < Math.min(backend.maxInFlight, this.#capacities.get(backend) ?? Infinity)

  #go(request: Request, attempt: Attempt): void {
    const { backend } = attempt
    assert.ok(this.#hasRoom(backend), 'it was sent where no room is')
    assert.ok(usableBy(request, this.balancer).includes(backend), 'it was sent where it may not go')
    for (const other of this.requests) {
      if (!other.waiting || (request.ticket > 0 && !this.#precedes(other, request))) continue
      assert.ok(!usableBy(other, this.balancer).includes(backend), 'it has overtaken an equal')
    }
    const { home } = request
    const isAtHome = request.ticket > 0 || request.attempts.length > 0 || home === undefined || home === backend
    assert.ok(
      isAtHome || !usableBy(request, this.balancer).includes(home) || !this.#hasRoom(home),
      'it was not sent home',
    )
    request.ticket = 0
    request.running = attempt
    request.attempts.push(attempt)
    this.balancer.counts.attemptStarted(attempt)
  }

  /** Nobody waits for what is there. */
  check(): void {
    for (const request of this.requests) {
      if (!request.waiting) continue
      const idle = usableBy(request, this.balancer).filter(this.#hasRoom)
      assert.deepEqual(
        idle.map(({ id }) => id),
        [],
        'a place is idle that somebody waits for',
      )
    }
  }
}

async function take(stage: Stage, step: Step): Promise<void> {
  const { balancer, requests, vetoes } = stage
  const one = <Item>(items: readonly Item[], index: number) => items[index % Math.max(items.length, 1)]
  if (step.do === 'arrive') {
    const home = step.home === undefined ? undefined : one(balancer.backends, step.home)
    for (let time = 0; time < step.times; time++) stage.arrive(home, step.importance)
  } else if (step.do === 'rest') return
  else if (step.do === 'wait') stage.pass(step.duration)
  else if (step.do === 'finish' || step.do === 'fail') {
    const running = one(
      requests.filter((request) => request.running !== undefined),
      step.index,
    )
    if (running !== undefined) stage.end(running, step.do === 'finish' ? 'ok' : step.received ? 'sent' : 'never-sent')
  } else if (step.do === 'leave') {
    const waiting = one(
      requests.filter((request) => request.waiting),
      step.index,
    )
    if (waiting !== undefined) stage.leave(waiting)
  } else if (step.do === 'lift') vetoes.splice(step.index % Math.max(vetoes.length, 1), 1)[0]?.lift()
  else {
    const backend = one(balancer.backends, step.index)!
    if (step.do === 'veto') vetoes.push(balancer.veto(backend, { by: 'test', reason: 'any', hard: step.hard }))
    else if (step.do === 'limit') stage.limit(backend, step.places)
    else await balancer.update(backend.id, { maxInFlight: step.places })
  }
}

test('no place is ever idle that somebody waits for, and nobody is overtaken by an equal', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyBackend, { minLength: 1, maxLength: 4 }),
      fc.array(anyStep, { maxLength: 60 }),
      anyQueue,
      async (backends, steps, queue) => {
        const stage = new Stage(backends, queue)
        for (const step of steps) {
          await take(stage, step)
          // Several things may happen within one turn of the event loop: only a rest lets places be given away.
          if (step.do !== 'rest') continue
          await settled()
          stage.check()
        }
        await settled()
        stage.check()
      },
    ),
    runs,
  )
})

test('whoever waits is served in the end, when all that run end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyBackend, { minLength: 1, maxLength: 4 }),
      fc.array(anyStep, { maxLength: 40 }),
      anyQueue,
      async (backends, steps, queue) => {
        const stage = new Stage(backends, queue)
        for (const step of steps) await take(stage, step)
        for (const veto of stage.vetoes) veto.lift()
        await settled()
        while (stage.requests.some(({ running }) => running !== undefined)) {
          for (const request of stage.requests.filter(({ running }) => running !== undefined)) stage.end(request, 'ok')
          await settled()
        }
        const stuck = stage.requests.filter((request) => usableBy(request, stage.balancer).length > 0)
        assert.deepEqual(stuck, [])
      },
    ),
    { ...runs, numRuns: 500 },
  )
})

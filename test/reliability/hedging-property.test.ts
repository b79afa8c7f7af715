import core, { type Attempt, type Balancer } from '@fastify-balancer/balancer-core'
import * as fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

type Handler = Required<Dispatcher.DispatchHandler>

/** One attempt at a backend that is not there: it does what the test says. */
class Sent {
  readonly backend: string
  readonly path: string
  readonly method: string
  readonly #handler: Handler
  #isConnected = false
  isOver = false
  readonly controller = {
    abort: (error: Error) => this.#fail(error),
    pause() {},
    resume() {},
  } as unknown as Dispatcher.DispatchController

  constructor(backend: string, { path, method }: Dispatcher.DispatchOptions, handler: Handler) {
    this.backend = backend
    this.path = path
    this.method = method
    this.#handler = handler
  }

  /** From now on, the backend has the request; false if it was given up before. */
  connect(): boolean {
    if (!this.#isConnected && !this.isOver) {
      this.#isConnected = true
      this.#handler.onRequestStart(this.controller, undefined)
      if (!this.isOver) this.#handler.onRequestSent()
    }
    return !this.isOver
  }

  answer(status: number, body: string): void {
    if (!this.connect()) return
    this.#handler.onResponseStart(this.controller, status, {}, '')
    if (!this.isOver) this.#handler.onResponseData(this.controller, Buffer.from(body))
    if (this.isOver) return
    this.isOver = true
    this.#handler.onResponseEnd(this.controller, {})
  }

  /** Refused, if it was not connected. */
  breakOff(): void {
    const code = this.#isConnected ? 'ECONNRESET' : 'ECONNREFUSED'
    this.#fail(Object.assign(new Error(code), { code }))
  }

  #fail(error: Error): void {
    if (this.isOver) return
    this.isOver = true
    this.#handler.onResponseError(this.controller, error)
  }
}

/** What a client asked for, and what came of it. */
interface Asked {
  readonly path: string
  readonly method: string
  readonly abort: AbortController
  /** How often it has ended for its client. */
  answers: number
  body: string | undefined
  /** The body of the first response that no rule discards. */
  expected: string | undefined
}

const ratio = 0.5
const listed = 503

/** A balancer, its clients and its backends in simulated time. */
class World {
  readonly clock = new ManualClock()
  readonly log = new LogLines()
  readonly asked: Asked[] = []
  readonly sent: Sent[] = []
  readonly attempts: Attempt[] = []
  readonly #vetoes = new Map<string, { lift(): void }>()
  readonly #app: FastifyInstance
  #balancer!: Balancer

  constructor() {
    this.#app = Fastify({ logger: this.log })
  }

  async start(): Promise<void> {
    await this.#app.register(core, {
      backends: ['a', 'b', 'c'].map((id) => ({ url: `http://${id}.invalid`, id, maxInFlight: 3 })),
      clock: this.clock,
      random: () => 0,
      queue: { max: 2 },
      timeouts: { headers: 2000, queue: 500 },
      retry: { statuses: [listed], budget: { ratio: 1, floor: 100 } },
      hedge: { budget: { ratio, floor: 0 } },
      panicThreshold: 0.5,
    })
    await this.#app.ready()
    this.#balancer = this.#app.balancer
    for (const backend of this.#balancer.backends)
      Object.assign(backend.pool, {
        dispatch: (request: Dispatcher.DispatchOptions, handler: Handler) => {
          this.sent.push(new Sent(backend.id, request, handler))
          return true
        },
      })
    this.#balancer.addHook('onAttemptStart', (attempt) => this.#started(attempt))
    for (let measure = 0; measure < 100; measure++) this.#balancer.hedging!.measure(10)
  }

  ask(method: string): void {
    const path = `/${this.asked.length}`
    const asked: Asked = {
      path,
      method,
      abort: new AbortController(),
      answers: 0,
      body: undefined,
      expected: undefined,
    }
    this.asked.push(asked)
    const options = { method: method as 'GET', url: path, signal: asked.abort.signal }
    this.#app.inject(options).then(
      ({ body }) => {
        asked.answers++
        asked.body = body
      },
      () => asked.answers++,
    )
  }

  /** Those of its attempts that the backends have. */
  get open(): readonly Sent[] {
    return this.sent.filter(({ isOver }) => !isOver)
  }

  answer(sent: Sent, status: number): void {
    const asked = this.asked.find(({ path }) => path === sent.path)!
    const body = `${sent.path} of ${sent.backend}`
    if (status !== listed) asked.expected ??= body
    sent.answer(status, body)
  }

  veto(id: string): void {
    const veto = this.#vetoes.get(id)
    this.#vetoes.delete(id)
    if (veto === undefined)
      this.#vetoes.set(id, this.#balancer.veto(this.#balancer.backend(id), { by: 'test', reason: 'test' }))
    else veto.lift()
  }

  #started(attempt: Attempt): void {
    this.attempts.push(attempt)
    const { attempts, method } = attempt.exchange
    const running = attempts.filter(({ outcome, status }) => outcome === undefined && status === 0)
    const hedges = attempts.filter(({ hedge }) => hedge)
    assert.ok(running.length <= (attempt.hedge ? 2 : 1), `${running.length} attempts at once`)
    assert.equal(new Set(attempts.map(({ backend }) => backend)).size, attempts.length)
    assert.ok(hedges.length <= 1)
    if (!attempt.hedge) return
    const { set, queue } = this.#balancer
    assert.deepEqual(
      [method, set.panicking, queue.length, set.available.includes(attempt.backend)],
      ['GET', false, 0, true],
    )
  }

  check(): void {
    const hedges = this.attempts.filter(({ hedge }) => hedge).length
    const gets = this.asked.filter(({ method }) => method === 'GET').length
    assert.ok(hedges <= ratio * gets, `${hedges} hedges of ${gets} requests`)
    for (const { method, path } of this.asked) {
      const deliveries = this.attempts.filter(({ exchange, started }) => exchange.url === path && started).length
      // The first, one hedge and one retry; and what is not idempotent once.
      assert.ok(deliveries <= (method === 'GET' ? 3 : 1), `${method} ${path} was delivered ${deliveries} times`)
    }
    for (const { inFlight, maxInFlight } of this.#balancer.backends) assert.ok(inFlight <= maxInFlight)
  }

  /** Everything ends. */
  async end(): Promise<void> {
    for (const id of this.#vetoes.keys()) this.veto(id)
    while (this.#balancer.exchanges > 0 || this.open.length > 0) {
      for (const sent of this.open) this.answer(sent, 200)
      await turn()
    }
    await until('all clients have their answers', () => this.asked.every(({ answers }) => answers > 0))
    await turn()
    this.check()
    for (const { path, answers, abort, body, expected } of this.asked) {
      assert.equal(answers, 1, path)
      assert.equal(this.log.exchanges.filter(({ url }) => url === path).length, 1, path)
      if (!abort.signal.aborted && expected !== undefined) assert.equal(body, expected)
    }
    const { backends, queue } = this.#balancer
    assert.deepEqual(
      backends.map(({ inFlight, isIdle }) => [inFlight, isIdle]),
      backends.map(() => [0, true]),
    )
    assert.equal(queue.length, 0)
    assert.ok(this.attempts.every(({ outcome }) => outcome !== undefined))
    await this.#app.close()
  }
}

type Step = (world: World) => void

/** One of those that are open, if there are any. */
const withOpen = (which: number, act: (sent: Sent, world: World) => void): Step => {
  return (world) => {
    const { open } = world
    if (open.length > 0) act(open.at(which % open.length)!, world)
  }
}

/** Often the last one: of two attempts, that is the hedge. */
const which = fc.oneof(fc.nat({ max: 20 }), fc.constant(-1))

const step: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('GET', 'GET', 'GET', 'POST', 'DELETE'), fc.integer({ min: 1, max: 4 }))
      .map(([method, count]): [string, Step] => [
        `${count} ${method}`,
        (world) => Array.from({ length: count }).forEach(() => world.ask(method)),
      ]),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(which, fc.constantFrom(200, 200, 404, listed))
      .map(([one, status]): [string, Step] => [
        `${one} answers ${status}`,
        withOpen(one, (sent, world) => world.answer(sent, status)),
      ]),
  },
  {
    weight: 3,
    arbitrary: which.map((one): [string, Step] => [`${one} connects`, withOpen(one, (sent) => sent.connect())]),
  },
  {
    weight: 2,
    arbitrary: which.map((one): [string, Step] => [`${one} breaks`, withOpen(one, (sent) => sent.breakOff())]),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(1, 9, 11, 11, 11, 20, 300)
      .map((time): [string, Step] => [`${time} ms`, ({ clock }) => clock.advance(time)]),
  },
  {
    weight: 1,
    arbitrary: which.map((one): [string, Step] => [
      `client ${one} leaves`,
      ({ asked }) => asked.at(one % Math.max(asked.length, 1))?.abort.abort(),
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('a', 'b', 'c').map((id): [string, Step] => [`veto on ${id}`, (world) => world.veto(id)]),
  },
)

test('whatever happens in whatever order, each request has one answer, and hedges keep their rules', async () => {
  let hedges = 0
  let won = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new World()
      await world.start()
      for (const [, act] of steps) {
        act(world)
        await turn()
        await turn()
        world.check()
      }
      await world.end()
      hedges += world.attempts.filter(({ hedge }) => hedge).length
      won += world.attempts.filter(({ hedge, exchange }) => hedge && exchange.answeredBy?.hedge === true).length
    }),
    { numRuns: 60, seed: 13 },
  )
  // What the sequences are for has happened in them.
  assert.ok(hedges >= 30 && won >= 5 && won < hedges, `${hedges} hedges, of which ${won} won`)
})

test('a response that has come while the timer was due is not late', async () => {
  const world = new World()
  await world.start()
  for (let count = 0; count < 4; count++) world.ask('GET')
  await turn()
  world.clock.advance(500)
  for (const sent of world.open) world.answer(sent, 200)
  await turn()
  await turn()
  assert.equal(world.attempts.length, 4)
  await world.end()
})

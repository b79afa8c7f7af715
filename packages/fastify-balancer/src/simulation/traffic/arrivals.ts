import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Scenario } from '../scenario/scenario.ts'
import type { Random } from '../world/random-stream.ts'
import type { Happening, SimulatedClock } from '../world/simulated-clock.ts'
import { SimulatedExchange } from './exchange.ts'
import { Keys, type User } from './keys.ts'

/** Where requests are counted. */
export interface Counter {
  onArrival(): void
  onEnd(exchange: SimulatedExchange): void
}

/** What arrivals are made of. */
interface Sources {
  readonly balancer: Balancer
  readonly clock: SimulatedClock
  readonly counter: Counter
  /** Numbers for when and whose; and for how much work. */
  readonly random: Random
  readonly work: Random
}

/** All requests without `keys` are of one. */
const anybody: User = Object.freeze({ headers: Object.freeze({}), address: '172.16.0.0' })

/** A client that got an answer in no time asks again after this (ms) at the soonest: so long would a round trip take. */
const leastPause = 1

/** Sends requests of anybody to a balancer. */
class Sender {
  readonly #sources: Sources
  readonly #keys: Keys | undefined

  constructor(sources: Sources, { keys }: Scenario) {
    this.#sources = sources
    this.#keys = keys && new Keys(keys)
  }

  /** Who asks next. */
  user(): User {
    return this.#keys?.draw(this.#sources.random) ?? anybody
  }

  send(client: ConstructorParameters<typeof SimulatedExchange>[1]): void {
    const { balancer, counter, work } = this.#sources
    counter.onArrival()
    new SimulatedExchange(balancer, client, { first: work(), second: work() }).begin()
  }
}

/** Requests that come at a rate of their own, however long the answers take: an open loop. */
class OpenLoop implements Happening {
  due = 0
  order = 0
  readonly #sender: Sender
  readonly #sources: Sources
  readonly #mean: number
  readonly #isPoisson: boolean

  constructor(sources: Sources, sender: Sender, rate: number, isPoisson: boolean) {
    this.#sources = sources
    this.#sender = sender
    this.#mean = 1000 / rate
    this.#isPoisson = isPoisson
  }

  start(): void {
    this.#sources.clock.plan(this, this.#gap())
  }

  happen(): void {
    const { clock, counter } = this.#sources
    clock.plan(this, this.#gap())
    this.#sender.send({ user: this.#sender.user(), onEnd: (exchange) => counter.onEnd(exchange) })
  }

  #gap(): number {
    return this.#isPoisson ? -this.#mean * Math.log(1 - this.#sources.random()) : this.#mean
  }
}

/** A client that asks again when it has its answer, after a time to think: a closed loop has many of them. */
class ClosedLoopClient implements Happening {
  due = 0
  order = 0
  user = anybody
  readonly #sender: Sender
  readonly #sources: Sources
  readonly #think: number

  constructor(sources: Sources, sender: Sender, think: number) {
    this.#sources = sources
    this.#sender = sender
    this.#think = think
  }

  /** Not all at the same time, unless nobody thinks. */
  start(): void {
    const { clock, random } = this.#sources
    clock.plan(this, this.#think * random())
  }

  happen(): void {
    this.user = this.#sender.user()
    this.#sender.send(this)
  }

  onEnd(exchange: SimulatedExchange): void {
    this.#sources.counter.onEnd(exchange)
    const tookTime = exchange.endedAt > exchange.startedAt
    const pause = tookTime ? this.#think : Math.max(this.#think, leastPause)
    this.#sources.clock.plan(this, pause)
  }
}

/** Starts the traffic of a scenario. */
export function startArrivals(sources: Sources, scenario: Scenario): void {
  const { rate, process, clients, think } = scenario.arrivals
  const sender = new Sender(sources, scenario)
  if (rate !== undefined) new OpenLoop(sources, sender, rate, process === 'poisson').start()
  else for (let count = 0; count < clients!; count++) new ClosedLoopClient(sources, sender, think).start()
}

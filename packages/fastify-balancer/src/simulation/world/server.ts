import type { Attempt, RequestPool } from '@fastify-balancer/balancer-core/exchange-rules'
import type { ScenarioBackend } from '../scenario/scenario.ts'
import type { Random } from './random-stream.ts'
import { servingTime, type ServingTime, type Work } from './serving-time.ts'
import type { SimulatedClock } from './simulated-clock.ts'
import { spellsOf } from './spells.ts'
import { Speed } from './speed.ts'
import { Visit, type Guest } from './visit.ts'

const errorOf = (code: string, message: string) => Object.assign(new Error(message), { code })
const refused = errorOf('ECONNREFUSED', 'connect ECONNREFUSED')
const reset = errorOf('ECONNRESET', 'read ECONNRESET')
const destroyed = errorOf('UND_ERR_DESTROYED', 'the pool was destroyed')

/**
 * A server: it serves `slots` requests at once; more wait in a queue without a limit, first come, first served. It
 * stands in place of the pool of its backend. A request that is aborted while it is served keeps its slot to the end, as
 * most programs do not notice; one that still waits is never served.
 */
export class SimulatedServer implements RequestPool {
  readonly #clock: SimulatedClock
  readonly #random: Random
  readonly #options: ScenarioBackend
  readonly #servingTime: ServingTime
  readonly #speed: Speed
  /** Every visit that has not ended for its guest. */
  readonly #open = new Set<Visit>()
  #waiting: Visit[] = []
  /** Where the first that waits stands: those before it have had their turn. */
  #first = 0
  /** Requests that have a place. */
  #busy = 0
  /** How often it has died: what an earlier life had begun is lost. */
  #deaths = 0
  #destroyed = false

  constructor(options: ScenarioBackend, clock: SimulatedClock, random: Random) {
    this.#options = options
    this.#clock = clock
    this.#random = random
    this.#servingTime = servingTime(options.service)
    this.#speed = new Speed(spellsOf(options))
  }

  /** The traffic begins. */
  start(): void {
    const { down } = this.#options
    for (const { from } of down) this.#clock.setTimeout(() => this.#die(), from)
  }

  get stats() {
    return { connected: this.#open.size, free: 0, pending: 0, queued: 0, running: this.#open.size }
  }

  get destroyed(): boolean {
    return this.#destroyed
  }

  /** Visits that have not ended for their guests. */
  get visits(): number {
    return this.#open.size
  }

  get isDown(): boolean {
    const { elapsed } = this.#clock
    return this.#options.down.some(({ from, to = Infinity }) => elapsed >= from && elapsed < to)
  }

  /** Takes a request of the balancer's: an attempt. */
  dispatch(...[request, handler]: Parameters<RequestPool['dispatch']>): boolean {
    this.visit(request as unknown as Work, handler as Attempt)
    return true
  }

  /** Takes a request of the balancer, or of a probe. */
  visit(work: Work, guest: Guest): void {
    const { delay } = this.#options
    const visit = new Visit(this, work, guest)
    this.#open.add(visit)
    if (this.isDown) {
      visit.stage = 'refused'
      this.#clock.plan(visit, delay)
      return
    }
    guest.onRequestStart(visit.controller)
    guest.onRequestSent()
    if (delay > 0) this.#clock.plan(visit, delay / 2)
    else this.moved(visit)
  }

  /** Tells after a round trip whether anybody listens. */
  reach(tell: (isUp: boolean) => void): void {
    const { isDown } = this
    this.#clock.setTimeout(() => tell(!isDown), this.#options.delay)
  }

  /** What a visit has waited for has come. */
  moved(visit: Visit): void {
    if (visit.stage === 'coming') this.#arrive(visit)
    else if (visit.stage === 'served') this.#served(visit)
    else if (visit.stage === 'refused') this.#fail(visit, refused)
    else this.#answer(visit)
  }

  /** The guest has left. */
  abort(visit: Visit, error: Error): void {
    this.#fail(visit, error)
  }

  /** Aborts everything, as a pool that is destroyed. */
  async destroy(): Promise<void> {
    this.#destroyed = true
    for (const visit of this.#open) this.#fail(visit, destroyed)
  }

  async close(): Promise<void> {
    this.#destroyed = true
  }

  #arrive(visit: Visit): void {
    if (visit.hasEnded) return
    if (this.isDown) this.#fail(visit, reset)
    else if (this.#busy < this.#options.slots) this.#begin(visit)
    else {
      visit.stage = 'waiting'
      this.#waiting.push(visit)
    }
  }

  #begin(visit: Visit): void {
    const { failures } = this.#options
    this.#busy++
    visit.stage = 'served'
    visit.life = this.#deaths
    let duration = this.#servingTime(visit.work)
    if (failures !== undefined && this.#random() < failures.share) {
      visit.status = failures.status
      duration = failures.after
    }
    const { elapsed } = this.#clock
    this.#clock.plan(visit, this.#speed.endOf(elapsed, duration) - elapsed)
  }

  #served(visit: Visit): void {
    if (visit.life !== this.#deaths) return
    this.#busy--
    const next = this.#next()
    if (next !== undefined) this.#begin(next)
    visit.stage = 'answered'
    if (visit.hasEnded) return
    const { delay } = this.#options
    if (delay > 0) this.#clock.plan(visit, delay / 2)
    else this.#answer(visit)
  }

  #next(): Visit | undefined {
    const waiting = this.#waiting
    while (this.#first < waiting.length) {
      const visit = waiting[this.#first++]!
      if (this.#first > 1024 && this.#first * 2 > waiting.length) {
        this.#waiting = waiting.slice(this.#first)
        this.#first = 0
        if (!visit.hasEnded) return visit
        return this.#next()
      }
      if (!visit.hasEnded) return visit
    }
    this.#waiting = []
    this.#first = 0
    return undefined
  }

  #answer(visit: Visit): void {
    if (visit.hasEnded) return
    const { guest, controller, status } = visit
    guest.onResponseStart(controller, status, noFields)
    if (visit.hasEnded) return
    visit.hasEnded = true
    this.#open.delete(visit)
    guest.onResponseEnd(controller, noFields)
  }

  #fail(visit: Visit, error: Error): void {
    if (visit.hasEnded) return
    visit.hasEnded = true
    this.#open.delete(visit)
    visit.guest.onResponseError(visit.controller, error)
  }

  #die(): void {
    this.#deaths++
    this.#busy = 0
    this.#waiting = []
    this.#first = 0
    // What is on its way to the balancer arrives.
    for (const visit of this.#open) if (visit.stage === 'served' || visit.stage === 'waiting') this.#fail(visit, reset)
  }
}

const noFields = Object.freeze({})

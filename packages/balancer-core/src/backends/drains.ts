import type { Backend } from './backend.ts'
import type { RequestPool } from '../connections/request-pool.ts'
import type { Clock } from '../clock.ts'
import type { Veto, VetoOptions } from './veto.ts'

/** How long something may take to finish what it has. */
export interface DrainOptions {
  /** ms; what is left then is cut. 0 = no deadline. Default: the option `drainDeadline`. */
  readonly deadline?: number
}

/** What the balancer does for its drains. */
interface Drained {
  /** Of those who do not say. */
  deadline(): number
  openPool(backend: Backend): RequestPool
  veto(backend: Backend, options: VetoOptions): Veto
  /** Something has changed that no veto tells. */
  refresh(): void
}

/** A drain that was ordered and not taken back. */
interface Drain {
  readonly veto: Veto
  timer: unknown
  /** Those who wait for it. */
  readonly waiting: ((idle: boolean | Promise<boolean>) => void)[]
}

/** The hard vetoes that are states of a backend, as operators order them. */
const orders = new Set(['drain', 'maintenance'])

/**
 * Takes backends out of use. One that drains gets nothing new, finishes what it has, and keeps the clients that a policy
 * has bound to it, all until the deadline (HAProxy's drain mode, with an end); maintenance is the same at once.
 */
export class Drains {
  readonly #clock: Clock
  readonly #drained: Drained
  readonly #drains = new Map<Backend, Drain>()
  readonly #retiring = new Set<Backend>()

  constructor(clock: Clock, drained: Drained) {
    this.#clock = clock
    this.#drained = drained
  }

  /** See `Balancer.drain`. */
  drain(backend: Backend, { deadline }: DrainOptions): Promise<boolean> {
    const known = this.#drainOf(backend)
    const drain = known ?? this.#begin(backend)
    // Ordered again, it keeps its deadline, unless there is another now.
    if (known === undefined || deadline !== undefined) this.#limit(backend, drain, deadline ?? this.#drained.deadline())
    if (backend.inFlight === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      drain.waiting.push(resolve)
      backend.whenIdle.push(() => resolve(true))
    })
  }

  /** No new requests, and what is under way is cut at once. */
  async maintain(backend: Backend): Promise<void> {
    if (!backend.vetoes.some(({ by, hard }) => hard && by === 'maintenance')) {
      this.#drained.veto(backend, { by: 'maintenance', reason: 'in maintenance', hard: true })
    }
    if (backend.inFlight > 0) await this.#cut(backend)
  }

  /** Takes requests again: lifts drain and maintenance. */
  ready(backend: Backend): void {
    for (const veto of backend.vetoes) if (veto.hard && orders.has(veto.by)) veto.lift()
    this.#forget(backend)
  }

  /** Removed from the set: it finishes what it has, then its Pool closes. */
  async retire(backend: Backend, { deadline = this.#drained.deadline() }: DrainOptions = {}): Promise<void> {
    const waiting = this.#drains.get(backend)?.waiting.splice(0) ?? []
    this.#forget(backend)
    this.#retiring.add(backend)
    const idle = await this.#idle(backend, deadline)
    this.#retiring.delete(backend)
    if (!idle) for (const settle of waiting) settle(false)
    await backend.cut()
  }

  /** Forgets all deadlines, and cuts what has left the set. */
  async close(): Promise<void> {
    for (const backend of this.#drains.keys()) this.#forget(backend)
    await Promise.all([...this.#retiring].map((backend) => backend.cut()))
  }

  /** Undefined also when somebody else has lifted its veto. */
  #drainOf(backend: Backend): Drain | undefined {
    const drain = this.#drains.get(backend)
    if (drain === undefined || backend.vetoes.includes(drain.veto)) return drain
    this.#forget(backend)
    return undefined
  }

  #begin(backend: Backend): Drain {
    backend.keepsBound = true
    const veto = this.#drained.veto(backend, { by: 'drain', reason: 'drained', hard: true })
    const drain: Drain = { veto, timer: undefined, waiting: [] }
    this.#drains.set(backend, drain)
    return drain
  }

  #limit(backend: Backend, drain: Drain, deadline: number): void {
    this.#clock.clearTimeout(drain.timer)
    drain.timer = deadline > 0 ? this.#clock.setTimeout(() => this.#expire(backend), deadline) : undefined
  }

  /** Its deadline has come: it keeps nobody any more. */
  #expire(backend: Backend): void {
    const drain = this.#drainOf(backend)
    if (drain === undefined) return
    backend.keepsBound = false
    this.#drained.refresh()
    if (backend.inFlight === 0) return
    const cut = this.#cut(backend).then(() => false)
    for (const settle of drain.waiting.splice(0)) settle(cut)
  }

  /** False if the deadline comes first. */
  #idle(backend: Backend, deadline: number): Promise<boolean> {
    if (backend.inFlight === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = deadline > 0 ? this.#clock.setTimeout(() => resolve(false), deadline) : undefined
      backend.whenIdle.push(() => {
        this.#clock.clearTimeout(timer)
        resolve(true)
      })
    })
  }

  #forget(backend: Backend): void {
    const drain = this.#drains.get(backend)
    if (drain === undefined) return
    this.#drains.delete(backend)
    this.#clock.clearTimeout(drain.timer)
    backend.keepsBound = false
    for (const settle of drain.waiting) settle(false)
  }

  /** Cuts what is under way, and leaves a backend that can be used again. */
  async #cut(backend: Backend): Promise<void> {
    const { pool } = backend
    backend.pool = this.#drained.openPool(backend)
    await backend.cut(pool)
  }
}

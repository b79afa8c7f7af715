import type { Backend } from './backend.ts'
import type { RequestPool } from '../connections/request-pool.ts'
import type { Clock } from '../clock.ts'
import type { Veto, VetoOptions } from './veto.ts'

/** How long requests in progress may go on. */
export interface DrainOptions {
  /** In ms; requests still running then are aborted. 0 = no deadline. Default: the option `drainDeadline`. */
  readonly deadline?: number
  /** The same as a moment (ms since the epoch), in place of `deadline`. */
  readonly until?: number | undefined
  /** The reason of its veto. Default: `ordered by the app`. */
  readonly reason?: string
  /** The operator who ordered it. */
  readonly who?: string
}

/** Why a backend is drained or put in maintenance, and who says so. */
export type Order = Omit<DrainOptions, 'deadline' | 'until'>

/** What the balancer does for its drains. */
interface Drained {
  /** The default deadline, in ms. */
  deadline(): number
  openPool(backend: Backend): RequestPool
  veto(backend: Backend, options: VetoOptions): Veto
  /** Called after a change that no veto shows. */
  refresh(): void
}

/** A drain in progress. */
interface Drain {
  readonly veto: Veto
  timer: unknown
  /** Callers that wait for it. */
  readonly waiting: ((idle: boolean | Promise<boolean>) => void)[]
}

/** The hard vetoes that are states of a backend, as operators order them. */
const orders = new Set(['drain', 'maintenance'])

const orderedByApp = 'ordered by the app'

/**
 * Takes backends out of rotation. A draining one gets no new requests, finishes those it has, and keeps the clients
 * that a policy has bound to it, until the deadline (HAProxy's drain mode, with a deadline). Maintenance does the same
 * at once.
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
  drain(backend: Backend, { deadline, until, ...order }: DrainOptions): Promise<boolean> {
    const known = this.#drainOf(backend)
    const drain = known ?? this.#begin(backend, order)
    // Ordered again, it keeps its deadline, unless there is another now.
    if (until !== undefined) this.#limitTo(backend, drain, until)
    else if (known === undefined || deadline !== undefined)
      this.#limit(backend, drain, deadline ?? this.#drained.deadline())
    if (backend.isIdle) return Promise.resolve(true)
    return new Promise((resolve) => {
      drain.waiting.push(resolve)
      backend.whenIdle(() => resolve(true))
    })
  }

  /** No new requests, and what is under way is cut at once. */
  async maintain(backend: Backend, order: Order): Promise<void> {
    if (!backend.vetoes.some(({ by, hard }) => hard && by === 'maintenance')) {
      this.#drained.veto(backend, { by: 'maintenance', reason: orderedByApp, ...order, hard: true })
    }
    if (!backend.isIdle) await this.#cut(backend)
  }

  /** Ends drain and maintenance: it gets requests again. */
  ready(backend: Backend): void {
    for (const veto of backend.vetoes) if (veto.hard && orders.has(veto.by)) veto.lift()
    this.#forget(backend)
  }

  /** Removed from the set: its requests finish, then its pool closes. */
  async retire(backend: Backend, { deadline = this.#drained.deadline() }: DrainOptions = {}): Promise<void> {
    const waiting = this.#drains.get(backend)?.waiting.splice(0) ?? []
    this.#forget(backend)
    this.#retiring.add(backend)
    const idle = await this.#idle(backend, deadline)
    this.#retiring.delete(backend)
    if (!idle) for (const settle of waiting) settle(false)
    await backend.cut()
  }

  /** Cancels all deadlines, and aborts the requests of removed backends. */
  async close(): Promise<void> {
    for (const backend of this.#drains.keys()) this.#forget(backend)
    await Promise.all([...this.#retiring].map((backend) => backend.cut()))
  }

  /** Also undefined when other code has lifted its veto. */
  #drainOf(backend: Backend): Drain | undefined {
    const drain = this.#drains.get(backend)
    if (drain === undefined || backend.vetoes.includes(drain.veto)) return drain
    this.#forget(backend)
    return undefined
  }

  #begin(backend: Backend, order: Order): Drain {
    backend.keepsBound = true
    const veto = this.#drained.veto(backend, { by: 'drain', reason: orderedByApp, ...order, hard: true })
    const drain: Drain = { veto, timer: undefined, waiting: [] }
    this.#drains.set(backend, drain)
    return drain
  }

  #limit(backend: Backend, drain: Drain, deadline: number): void {
    this.#limitTo(backend, drain, deadline > 0 ? Date.now() + deadline : undefined, deadline)
  }

  #limitTo(backend: Backend, drain: Drain, until: number | undefined, delay = (until ?? 0) - Date.now()): void {
    this.#clock.clearTimeout(drain.timer)
    drain.veto.until = until
    const expire = () => this.#expire(backend)
    drain.timer = until === undefined ? undefined : this.#clock.setTimeout(expire, Math.max(0, delay))
  }

  /** The deadline has passed: bound clients are no longer kept. */
  #expire(backend: Backend): void {
    const drain = this.#drainOf(backend)
    if (drain === undefined) return
    backend.keepsBound = false
    this.#drained.refresh()
    if (backend.isIdle) return
    const cut = this.#cut(backend).then(() => false)
    for (const settle of drain.waiting.splice(0)) settle(cut)
  }

  /** False if the deadline comes first. */
  #idle(backend: Backend, deadline: number): Promise<boolean> {
    if (backend.isIdle) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = deadline > 0 ? this.#clock.setTimeout(() => resolve(false), deadline) : undefined
      backend.whenIdle(() => {
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

  /** Aborts requests in progress; the backend can be used again. */
  async #cut(backend: Backend): Promise<void> {
    const { pool } = backend
    backend.pool = this.#drained.openPool(backend)
    await backend.cut(pool)
  }
}

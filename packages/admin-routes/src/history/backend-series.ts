import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { column, Series } from './series.ts'

/** Of how many backends of a balancer a history is kept: 44 KB each, and so 44 MB at most. */
export const mostBackends = 1000

/** The series of a backend. A later backend with the same id continues it. */
interface Kept {
  readonly series: Series
  /** Undefined once it was removed and is idle. */
  backend: Backend | undefined
  /** The last step of the coarsest resolution in which it was in the list or in use. */
  seen: number
}

/**
 * The series of a balancer's backends, by id: of each since its first request, for as long as there is room. One that was
 * removed gives way to a newcomer, the longest gone first.
 */
export class BackendSeries {
  readonly #balancer: Balancer
  readonly #most: number
  readonly #byBackend = new WeakMap<Backend, Series>()
  readonly #kept = new Map<string, Kept>()
  /** How many were removed and are idle. */
  #gone = 0

  constructor(balancer: Balancer, most = mostBackends) {
    this.#balancer = balancer
    this.#most = most
  }

  /** Each series, with the id of its backend. */
  *[Symbol.iterator](): Generator<readonly [id: string, series: Series]> {
    for (const [id, { series }] of this.#kept) yield [id, series]
  }

  get size(): number {
    return this.#kept.size
  }

  /** How many requests are in flight to the backend with this id. */
  inFlight(id: string): number {
    return this.#kept.get(id)?.backend?.inFlight ?? 0
  }

  /** The series of a backend; undefined if there are too many. */
  of(backend: Backend): Series | undefined {
    return this.#byBackend.get(backend) ?? this.#admit(backend)
  }

  /**
   * A step ends: each backend that has got a request has a series from now on, and those that were removed `steps` of the
   * coarsest steps ago are forgotten.
   */
  look(step: number, steps: number): void {
    for (const backend of this.#balancer.backends) if (backend.requests > 0) this.of(backend)
    this.#gone = 0
    for (const [id, kept] of this.#kept) {
      const { backend } = kept
      if (backend !== undefined) kept.seen = step
      if (backend?.isIdle === true && !this.#balancer.has(backend)) kept.backend = undefined
      if (kept.backend !== undefined) continue
      if (step - kept.seen >= steps) this.#kept.delete(id)
      else this.#gone++
    }
  }

  /** A step of a resolution ends: what is known only now. */
  close(resolution: number, place: number): void {
    for (const [id, { series }] of this.#kept) {
      series.set(resolution, place, column.p95, series.percentile(resolution, 0.95))
      series.set(resolution, place, column.inFlight, this.inFlight(id))
    }
  }

  #admit(backend: Backend): Series | undefined {
    let kept = this.#kept.get(backend.id)
    if (kept === undefined) {
      if (this.#kept.size >= this.#most && !this.#makeRoom()) return undefined
      kept = { series: new Series(), backend, seen: 0 }
      this.#kept.set(backend.id, kept)
    } else if (kept.backend === undefined) this.#gone--
    kept.backend = backend
    this.#byBackend.set(backend, kept.series)
    return kept.series
  }

  #makeRoom(): boolean {
    if (this.#gone === 0) return false
    let longest: string | undefined
    for (const [id, { backend, seen }] of this.#kept)
      if (backend === undefined && (longest === undefined || seen < this.#kept.get(longest)!.seen)) longest = id
    if (longest === undefined) return false
    this.#gone--
    return this.#kept.delete(longest)
  }
}

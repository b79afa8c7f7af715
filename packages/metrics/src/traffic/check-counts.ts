import type { Backend } from '@fastify-balancer/balancer-core'

/** What checks have found of one backend so far. */
export interface Checked {
  /** Probes that succeeded, and that failed. */
  good: number
  bad: number
  /** How often its circuit has opened after it was closed: a trial that fails does not count. */
  openings: number
}

const nothing: Readonly<Checked> = { good: 0, bad: 0, openings: 0 }

/** Counts what checks find of the backends of one balancer. Numbers only, and none for a backend that was never checked. */
export class CheckCounts {
  readonly #counts = new WeakMap<Backend, Checked>()

  /**
   * Called by the health check for each probe that counts; it finds this method among the balancer's extensions. One that
   * another instance has made (`isOwn` is false) is counted there.
   */
  probed(backend: Backend, { good }: { readonly good: boolean }, isOwn = true): void {
    if (isOwn) this.#changing(backend)[good ? 'good' : 'bad']++
  }

  circuitOpened(backend: Backend): void {
    this.#changing(backend).openings++
  }

  /** Read-only access. */
  of(backend: Backend): Readonly<Checked> {
    return this.#counts.get(backend) ?? nothing
  }

  #changing(backend: Backend): Checked {
    let counts = this.#counts.get(backend)
    if (counts === undefined) this.#counts.set(backend, (counts = { ...nothing }))
    return counts
  }
}

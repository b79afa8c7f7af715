import type { Attempt, Backend, Balancer } from '@fastify-balancer/balancer-core'

/**
 * How many requests are in flight at the backends of a set. Once it counts for a balancer, a look at it is O(1), however
 * many backends there are.
 */
export class InFlight {
  #backends: readonly Backend[] = []
  /** Those whose requests are counted as they start and end; undefined while nothing tells of them. */
  #counted: Set<Backend> | undefined
  #count = 0

  /** From now on, of these. */
  over(backends: readonly Backend[]): void {
    this.#backends = backends
    if (this.#counted !== undefined) this.#recount()
  }

  get count(): number {
    return this.#counted === undefined ? this.#sum() : this.#count
  }

  /** Counts what a balancer sends. Returns what ends that. */
  countFor(balancer: Balancer): () => void {
    const started = ({ backend }: Attempt) => {
      if (this.#counted!.has(backend)) this.#count++
    }
    const ended = ({ backend }: Attempt) => {
      if (this.#counted!.has(backend)) this.#count--
    }
    this.#recount()
    balancer.addHook('onAttemptStart', started).addHook('onAttemptEnd', ended)
    return () => {
      balancer.removeHook('onAttemptStart', started).removeHook('onAttemptEnd', ended)
      this.#counted = undefined
    }
  }

  #recount(): void {
    this.#counted = new Set(this.#backends)
    this.#count = this.#sum()
  }

  #sum(): number {
    let sum = 0
    for (const { inFlight } of this.#backends) sum += inFlight
    return sum
  }
}

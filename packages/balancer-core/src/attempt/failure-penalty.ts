import type { Backend } from '../backends/backend.ts'
import type { Clock } from '../clock.ts'

const halfLife = 1000

/**
 * Makes a failed attempt, or one answered with a 5xx other than 501, count as load for a while, as if it were still
 * running: a backend that fails fast would otherwise look like the least loaded one and draw all traffic. (Linkerd charges
 * failures a 5 s response time; halving each second comes to about the same.)
 */
export class Penalties {
  readonly #clock: Clock
  readonly #penalised = new Set<Backend>()
  #timer: unknown
  #stopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(backend: Backend): void {
    backend.penalty = Math.min(backend.penalty + 1, backend.limit)
    this.#penalised.add(backend)
    if (!this.#stopped) this.#timer ??= this.#clock.setTimeout(() => this.#halve(), halfLife)
  }

  stop(): void {
    this.#stopped = true
    this.#clock.clearTimeout(this.#timer)
  }

  #halve(): void {
    for (const backend of this.#penalised) {
      backend.penalty >>= 1
      if (backend.penalty === 0) this.#penalised.delete(backend)
    }
    this.#timer = this.#penalised.size === 0 ? undefined : this.#clock.setTimeout(() => this.#halve(), halfLife)
  }
}

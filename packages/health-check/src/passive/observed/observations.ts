// Room `passive/observed`: what traffic shows about each backend.
import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import { Observation } from './observation.ts'

/** Observations of each backend. */
export class Observations {
  readonly #clock: Clock
  readonly #observations = new WeakMap<Backend, Observation>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(backend: Backend): Observation {
    let observation = this.#observations.get(backend)
    if (observation === undefined) {
      observation = new Observation(backend, this.#clock.now())
      this.#observations.set(backend, observation)
    }
    return observation
  }

  /** Like `of`, but does not store a new entry. */
  peek(backend: Backend): Observation {
    return this.#observations.get(backend) ?? new Observation(backend, this.#clock.now())
  }

  forget(backend: Backend): void {
    this.#observations.delete(backend)
  }
}

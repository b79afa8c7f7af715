// Room `passive/observed`: what traffic has shown of each backend.
import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import { Observation } from './observation.ts'

/** What passive checks know of each backend, since it was first heard of. */
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

  /** As `of`, but nothing is kept of one that was not heard of. */
  peek(backend: Backend): Observation {
    return this.#observations.get(backend) ?? new Observation(backend, this.#clock.now())
  }

  forget(backend: Backend): void {
    this.#observations.delete(backend)
  }
}

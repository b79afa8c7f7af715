// Room `passive/observed`: what traffic shows about each backend.
import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import { Observation } from './observation.ts'

/** What passive checks know of each backend, since it was first heard of. Most of thousands may never be. */
export class Observations {
  readonly #clock: Clock
  /** When the list last changed, on the clock in ms: who is heard of for the first time has been in it since then at least. */
  #watchedFrom: number
  // Some that have left the set are asked about again, while they finish what they have.
  readonly #observations = new WeakMap<Backend, Observation>()
  readonly #all = new Set<Observation>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#watchedFrom = clock.now()
  }

  of(backend: Backend): Observation {
    let observation = this.#observations.get(backend)
    if (observation === undefined) {
      observation = new Observation(backend, this.#watchedFrom)
      this.#observations.set(backend, observation)
      this.#all.add(observation)
    }
    return observation
  }

  /** Like `of`, but does not store a new entry. */
  peek(backend: Backend): Observation {
    return this.#observations.get(backend) ?? new Observation(backend, this.#watchedFrom)
  }

  /** Of those that were heard of and that `isMember` holds for; the others are forgotten. */
  members(isMember: (backend: Backend) => boolean): readonly Observation[] {
    for (const { backend } of this.#all) if (!isMember(backend)) this.forget(backend)
    return [...this.#all]
  }

  /** The list has changed. */
  changed(isMember: (backend: Backend) => boolean): void {
    this.#watchedFrom = this.#clock.now()
    this.members(isMember)
  }

  forget(backend: Backend): void {
    const observation = this.#observations.get(backend)
    if (observation === undefined) return
    this.#observations.delete(backend)
    this.#all.delete(observation)
  }
}

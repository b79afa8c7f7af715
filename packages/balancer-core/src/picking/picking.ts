// Room `picking`: which backend gets a request, and who waits while none has room.
import type { Backend } from '../backends/backend.ts'
import type { BackendSet } from '../backends/backend-set.ts'
import { explain, type Explanation } from './explain.ts'
import { maxAsked, type Picker, type PickRequest, type Policy } from './policy.ts'

/** Who looks for a backend: an exchange. */
export interface Seeker extends PickRequest {
  readonly attempts: readonly { readonly backend: Backend }[]
}

function wasTried(backend: Backend, { attempts }: Seeker): boolean {
  return attempts.some((attempt) => attempt.backend === backend)
}

/**
 * Picks a backend for each who seeks one: the one that the policy chooses, or if that has no place, one that has.
 * `Place` is what a seeker gets at a backend: an attempt.
 */
export class Picking<Place extends object, S extends Seeker> {
  readonly #policy: Policy
  readonly #take: (backend: Backend, seeker: S) => Place | undefined
  #available: readonly Backend[]
  #spare: readonly Backend[]
  #picker: Picker
  #searched = 0

  /** `take` gives a seeker its place at a backend with room; undefined = it may not go there now. */
  constructor(policy: Policy, set: BackendSet, take: (backend: Backend, seeker: S) => Place | undefined) {
    this.#policy = policy
    this.#take = take
    this.#available = set.available
    this.#spare = set.spare
    this.#picker = policy.over(set.available, set.draining)
  }

  /** From now on, it is this set that is chosen from; also to be called when weights have changed. */
  over({ available, spare, draining }: BackendSet): void {
    this.#available = available
    this.#spare = spare
    this.#picker = this.#policy.over(available, draining)
  }

  /** See `Balancer.pick`. */
  pick(exchange: S): Place | 'saturated' | 'none' {
    for (let asked = 0; asked < maxAsked; asked++) {
      const backend = this.#picker.pick(exchange)
      if (backend === undefined) return 'none'
      if (wasTried(backend, exchange)) continue
      const attempt = this.attemptAt(backend, exchange)
      if (typeof attempt === 'object') return attempt
    }
    const answer = this.#search(exchange)
    return answer === 'none' && exchange.attempts.length > 0 ? this.#resort(exchange) : answer
  }

  /** See `Balancer.attemptAt`. */
  attemptAt(backend: Backend, exchange: S): Place | 'saturated' | 'none' {
    if (backend.inFlight >= backend.maxInFlight) return 'saturated'
    return this.#take(backend, exchange) ?? 'none'
  }

  /** See `Balancer.explain`. */
  explain(set: BackendSet, request: PickRequest): Explanation {
    return explain(set, this.#picker, this.#searched, request)
  }

  /** The policy's choices had no place: whoever has one. */
  #search(exchange: S): Place | 'saturated' | 'none' {
    const available = this.#available
    let answer: 'saturated' | 'none' = 'none'
    for (let step = 0; step < available.length; step++) {
      // Begins where the last search ended, or the first of the list would get whatever the policy could not place.
      this.#searched = (this.#searched + 1) % available.length
      const backend = available[this.#searched]!
      if (wasTried(backend, exchange)) continue
      const attempt = this.attemptAt(backend, exchange)
      if (typeof attempt === 'object') return attempt
      if (attempt === 'saturated') answer = 'saturated'
    }
    return answer
  }

  /** All that are available have failed it: the least busy of the next priority that has any room. */
  #resort(exchange: S): Place | 'saturated' | 'none' {
    const untried = this.#spare.filter((backend) => !wasTried(backend, exchange))
    untried.sort((one, other) => one.priority - other.priority || one.inFlight - other.inFlight)
    let answer: 'saturated' | 'none' = 'none'
    for (const backend of untried) {
      const attempt = this.attemptAt(backend, exchange)
      if (typeof attempt === 'object') return attempt
      if (attempt === 'saturated') answer = 'saturated'
    }
    return answer
  }
}

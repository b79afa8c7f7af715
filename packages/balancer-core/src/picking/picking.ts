// Room `picking`: which backend gets a request, and the queue for requests while all are full.
import type { Backend } from '../backends/backend.ts'
import type { BackendSet } from '../backends/backend-set.ts'
import { explain, type Explanation } from './explain.ts'
import { lastResorts } from './last-resort.ts'
import { maxAsked, type Picker, type PickRequest, type Policy } from './policy.ts'
import { wasTried, type Seeker } from './seeker.ts'

/** Where a request may go after all available backends have failed it. */
interface Resort {
  readonly backends: readonly Backend[]
  /** These are unhealthy: no others are left. */
  readonly isLast: boolean
}

/** Gives a request a place at a backend with room, if it may go there now. */
type Take<Place, S> = (backend: Backend, seeker: S, lastResort: boolean) => Place | undefined

/** Settings of a balancer for picking. */
export interface PickingSettings {
  /** How long unhealthy backends may be tried for one request, in ms; 0 = no limit, false = not at all. */
  readonly lastResort: number | false
}

function placeOf<Place extends object>(answer: Place | 'saturated' | 'none'): Place | undefined {
  return typeof answer === 'object' ? answer : undefined
}

/** Preferred ones first, and of those the least busy. */
function byPreference(one: Backend, other: Backend): number {
  return one.priority - other.priority || one.inFlight - other.inFlight
}

/**
 * Picks a backend for each who seeks one: its home, or the one that the policy chooses, or if that has no place, one that has.
 * `Place` is what a seeker gets at a backend: an attempt.
 */
export class Picking<Place extends object, S extends Seeker> {
  #policy: Policy
  #settings: PickingSettings
  readonly #take: Take<Place, S>
  #set: BackendSet
  #picker: Picker
  #searched = 0

  constructor(policy: Policy, set: BackendSet, settings: PickingSettings, take: Take<Place, S>) {
    this.#policy = policy
    this.#settings = settings
    this.#take = take
    this.#set = set
    this.#picker = policy.over(set.available, set.draining, set.spare)
  }

  /** Sets the set to pick from; also to be called when weights have changed. */
  over(set: BackendSet): void {
    this.#set = set
    this.#picker = this.#policy.over(set.available, set.draining, set.spare)
  }

  /** From the next set on, it is chosen in this way. */
  configure(policy: Policy, settings: PickingSettings): void {
    this.#policy = policy
    this.#settings = settings
  }

  /** See `Balancer.pick`. */
  pick(seeker: S): Place | 'saturated' | 'none' {
    const { home } = seeker
    const place = home && this.#set.available.includes(home) ? this.#placeAt(home, seeker) : undefined
    return place ?? this.#pick(seeker)
  }

  #pick(seeker: S): Place | 'saturated' | 'none' {
    for (let asked = 0; asked < maxAsked; asked++) {
      const backend = this.#picker.pick(seeker, asked)
      if (backend === null) return 'none'
      if (backend === undefined) break
      if (wasTried(backend, seeker)) continue
      const place = this.at(backend, seeker)
      if (typeof place === 'object') return place
      if (place === 'saturated' && this.#picker.bound?.(seeker) === backend) return 'saturated'
    }
    const answer = this.#search(seeker)
    return answer === 'none' && seeker.attempts.length > 0 ? this.#resort(seeker) : answer
  }

  /** A place at this backend, unless it is full or a hook refuses. */
  at(backend: Backend, seeker: S, lastResort = false): Place | 'saturated' | 'none' {
    if (backend.inFlight >= backend.limit) return 'saturated'
    return this.#take(backend, seeker, lastResort) ?? 'none'
  }

  /** A place at this backend for a waiting request, if it may be sent there. */
  offer(backend: Backend, seeker: S): Place | undefined {
    if (wasTried(backend, seeker)) return undefined
    // Where a client that is bound may go is decided by `pick`.
    if (this.#picker.bound?.(seeker) !== undefined) return placeOf(this.pick(seeker))
    if (!this.#set.available.includes(backend)) {
      const resort = this.#resortOf(seeker)
      const isResort = resort?.backends.includes(backend) === true
      if (!isResort && !this.#isChosen(backend, seeker)) return undefined
      return placeOf(this.at(backend, seeker, isResort && resort?.isLast))
    }
    return this.#placeAt(backend, seeker)
  }

  /** A place at an available backend, unless this request was there or should wait for another. */
  #placeAt(backend: Backend, seeker: S): Place | undefined {
    if (wasTried(backend, seeker) || this.#isRefused(backend, seeker)) return undefined
    return placeOf(this.at(backend, seeker))
  }

  /** Is it a backend that the policy would not choose for this request, however busy the others are? */
  refuses(backend: Backend, seeker: S): boolean {
    return this.#picker.refuses?.(seeker, backend) === true
  }

  /** Does the policy want it to wait for another, which it has not tried? */
  #isRefused(backend: Backend, seeker: S): boolean {
    if (!this.refuses(backend, seeker)) return false
    const isOpen = (one: Backend) => !wasTried(one, seeker) && !this.refuses(one, seeker)
    return this.#set.available.some(isOpen)
  }

  /** Does the policy choose it, although it is not among the available ones: for a client bound to it, or by spill-over? */
  #isChosen(backend: Backend, seeker: S): boolean {
    const { draining, spare } = this.#set
    if (!draining.includes(backend) && !spare.includes(backend)) return false
    return this.#picker.accepts?.(seeker, backend) ?? this.#picker.peek(seeker) === backend
  }

  /** May a request be sent again to the backend where it was: is that available, or its client bound to it? */
  keeps(backend: Backend, seeker: S): boolean {
    return this.#set.available.includes(backend) || this.#picker.bound?.(seeker) === backend
  }

  /** Is its client bound to one backend, which may be gone? */
  isBound(seeker: S): boolean {
    return this.#picker.bound?.(seeker) !== undefined
  }

  /** Is there any backend, full or not, that this request may be sent to? */
  mayWait(seeker: Seeker): boolean {
    if (this.#picker.bound?.(seeker) === null) return false
    return (
      this.#set.available.some((backend) => !wasTried(backend, seeker)) ||
      (this.#resortOf(seeker)?.backends.length ?? 0) > 0
    )
  }

  /** Has any backend room at all? */
  get hasRoom(): boolean {
    return this.#set.all.some(({ inFlight, limit }) => inFlight < limit)
  }

  /** See `Balancer.explain`. */
  explain(request: PickRequest): Explanation {
    return explain(this.#set, this.#policy.name, this.#picker, this.#searched, request)
  }

  /** The policy's choices are full: any other with room, first those that it does not refuse. */
  #search(seeker: S): Place | 'saturated' | 'none' {
    if (this.#picker.refuses === undefined) return this.#searchAmong(seeker)
    const answer = this.#searchAmong(seeker, (backend) => !this.refuses(backend, seeker))
    return answer === 'none' ? this.#searchAmong(seeker) : answer
  }

  #searchAmong(seeker: S, may?: (backend: Backend) => boolean): Place | 'saturated' | 'none' {
    const { available } = this.#set
    let answer: 'saturated' | 'none' = 'none'
    for (let step = 0; step < available.length; step++) {
      // Continues where the last search ended; otherwise the first of the list would get everything that the policy
      // could not place.
      this.#searched = (this.#searched + 1) % available.length
      const backend = available[this.#searched]!
      if (wasTried(backend, seeker) || may?.(backend) === false) continue
      const place = this.at(backend, seeker)
      if (typeof place === 'object') return place
      if (place === 'saturated') answer = 'saturated'
    }
    return answer
  }

  /**
   * Where a request may go after all available backends have failed it: to the next priorities; then, if no backend has
   * received it, to unhealthy ones. Undefined if it has not tried all available ones.
   */
  #resortOf(seeker: Seeker): Resort | undefined {
    const { all, available, spare } = this.#set
    if (seeker.attempts.length === 0 || available.some((backend) => !wasTried(backend, seeker))) return undefined
    const untried = spare.filter((backend) => !wasTried(backend, seeker))
    const { lastResort } = this.#settings
    if (untried.length > 0 || lastResort === false) return { backends: untried, isLast: false }
    return { backends: lastResorts(all, seeker, lastResort), isLast: true }
  }

  /** The least busy one with room, of the most preferred priority. */
  #resort(seeker: S): Place | 'saturated' | 'none' {
    const resort = this.#resortOf(seeker)
    let answer: 'saturated' | 'none' = 'none'
    for (const backend of resort?.backends.toSorted(byPreference) ?? []) {
      const place = this.at(backend, seeker, resort?.isLast)
      if (typeof place === 'object') return place
      if (place === 'saturated') answer = 'saturated'
    }
    return answer
  }
}

import type { Backend } from '../backends/backend.ts'

/** The request, as far as a policy may use it. */
export interface PickRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The choice over one set of available backends. Synchronous, and as close to O(1) as the policy allows. */
export interface Picker {
  /** Picks a backend and moves on; undefined if there is none. */
  pick(request: PickRequest): Backend | undefined
  /** What `pick` would return now, or after `ahead` more picks (default 0); changes nothing. */
  peek(request: PickRequest, ahead?: number): Backend | undefined
  /** The figure that the policy compares, if any: lower is better. */
  score?(backend: Backend): number
}

/**
 * How to pick a backend. State that must survive a change of the set, such as the position in a rotation, belongs here,
 * not in the picker.
 */
export interface Policy {
  readonly name: string
  /**
   * Builds the picker; called when the set changes, never for a request. `draining` get no new clients: a policy that
   * binds clients to backends keeps picking them for bound clients while they are listed; other policies ignore them.
   */
  over(available: readonly Backend[], draining?: readonly Backend[]): Picker
}

/** How often a policy is asked again when its choice is full, before the set is searched for one with room. */
export const maxAsked = 4

import type { Backend } from '../backends/backend.ts'

/** What a policy may look at of the request that it picks for. */
export interface PickRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The choice over one set of available backends. Synchronous, and as close to O(1) as the policy allows. */
export interface Picker {
  /** Chooses, and moves on. `undefined` when there is nothing to choose from. */
  pick(request: PickRequest): Backend | undefined
  /** What `pick` would choose now, or after `ahead` (0) more picks; changes nothing. */
  peek(request: PickRequest, ahead?: number): Backend | undefined
  /** What the choice compares, if it compares anything: lower is better. */
  score?(backend: Backend): number
}

/** How to choose. What must outlive a change of the set (the round's position) is kept here, not in the picker. */
export interface Policy {
  readonly name: string
  /**
   * Builds the picker; called when the set changes, never for a request. `draining` take nothing new: a policy that binds
   * clients to backends goes on picking them for those who are theirs, until they are no longer listed; others pass over them.
   */
  over(available: readonly Backend[], draining?: readonly Backend[]): Picker
}

/** How often a policy is asked for another backend, where its choice has no room, before the set is searched for one. */
export const maxAsked = 4

import type { Backend } from '../backends/backend.ts'

/** The request, as far as a policy may use it. */
export interface PickRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The client's IP address, as `trustProxy` has it; undefined if it is not known. */
  readonly address?: string | undefined
  /** The body, if all of it is here already: one of known length up to 64 KiB. */
  readonly body?: Buffer | undefined
}

/** What a policy tells about a choice. */
export type PolicyDetails = Readonly<Record<string, string | number | boolean | null>>

/** The choice over one set of available backends. Synchronous, and as close to O(1) as the policy allows. */
export interface Picker {
  /**
   * Picks a backend and moves on; undefined if there is none to prefer, so that any with room is taken; null if no other
   * may get this request. `asked` is how many of its choices for this request could not take it: they were full, refused
   * or tried before.
   */
  pick(request: PickRequest, asked?: number): Backend | null | undefined
  /** What `pick` would return now, or after `ahead` more picks (default 0); changes nothing. */
  peek(request: PickRequest, ahead?: number): Backend | null | undefined
  /**
   * May this request, which waits, go to this backend, which is draining or of another priority? Without it, only the one
   * that `peek` answers may be used.
   */
  accepts?(request: PickRequest, backend: Backend): boolean
  /**
   * The backend to which the client of this request is bound: while that is full, the request waits for it. Null if no
   * other than one that must not be used now may get it; undefined if the client is bound to none.
   */
  bound?(request: PickRequest): Backend | null | undefined
  /**
   * Must this request rather wait for another backend than go to this one, which has room? It counts only while another
   * that it has not tried is not refused. Without it, any with room is taken where those that `pick` answers are full.
   */
  refuses?(request: PickRequest, backend: Backend): boolean
  /** The figure that the policy compares, if any: lower is better. */
  score?(backend: Backend): number
  /** What that figure is made of, or where the backend stands, for people. */
  details?(backend: Backend): PolicyDetails
  /** What the choice for this request hangs on, e.g. its key, for people. */
  basis?(request: PickRequest): PolicyDetails
}

/**
 * How to pick a backend. State that must survive a change of the set, such as the position in a rotation, belongs here,
 * not in the picker. `Host` is the balancer.
 */
export interface Policy<Host = unknown> {
  readonly name: string
  /**
   * Builds the picker; called when the set changes, never for a request. `draining` get no new clients: a policy that
   * binds clients to backends keeps picking them for bound clients while they are listed. `spare` are healthy ones of
   * other priorities, the preferred first: a policy may let requests spill over to them. Other policies ignore both.
   */
  over(available: readonly Backend[], draining?: readonly Backend[], spare?: readonly Backend[]): Picker
  /**
   * Called each time the policy comes into force, before `over`: a place to add hooks and start timers. Returns what takes
   * them away again, when another policy takes its place or the balancer closes.
   */
  attach?(balancer: Host): (() => void) | void
}

/** How often a policy is asked again when its choice is full, before the set is searched for one with room. */
export const maxAsked = 4

/** The types that the page asks for; figures are told only to those who name them. */
export const eventTypes = ['veto', 'circuit', 'panic', 'state', 'backends', 'admin', 'reload', 'figures'] as const

interface Happened {
  readonly id: string
  readonly at: number
}

interface Base extends Happened {
  readonly balancer: string
}

interface VetoEvent extends Base {
  readonly type: 'veto'
  readonly backend: string
  readonly action: 'laid' | 'lifted'
  readonly by: string
  readonly reason: string
  /** An order, such as a drain. */
  readonly hard: boolean
}

interface CircuitEvent extends Base {
  readonly type: 'circuit'
  readonly backend: string
  readonly state: string
  readonly before: string
  readonly reason: string
}

interface PanicEvent extends Base {
  readonly type: 'panic'
  readonly panicking: boolean
  readonly backends: number
  readonly available: number
}

interface StateEvent extends Base {
  readonly type: 'state'
  readonly backend: string
  readonly state: string
  readonly before: string
}

interface BackendsEvent extends Base {
  readonly type: 'backends'
  readonly revision: number
  readonly added?: readonly string[]
  readonly removed?: readonly string[]
  readonly changed?: readonly string[]
}

interface AdminEvent extends Happened {
  readonly type: 'admin'
  /** None if it concerned the whole server. */
  readonly balancer?: string
  readonly backend?: string
  readonly who?: string
  readonly what: string
  readonly before?: unknown
  readonly after?: unknown
}

interface ReloadEvent extends Happened {
  readonly type: 'reload'
  /** It is of all balancers. */
  readonly balancer?: undefined
  /** It is in force; otherwise nothing was changed. */
  readonly applied: boolean
  /** What has changed, or why nothing was. */
  readonly summary: string
}

/** Something that happened, and goes into the feed. */
export type FeedEvent = VetoEvent | CircuitEvent | PanicEvent | StateEvent | BackendsEvent | AdminEvent | ReloadEvent

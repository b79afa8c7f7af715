/** The event types that the page requests; figures are sent only if requested. */
export const eventTypes = [
  'veto',
  'circuit',
  'panic',
  'state',
  'backends',
  'admin',
  'queue',
  'overload',
  'reload',
  'figures',
] as const

interface Happened {
  readonly id: string
  readonly at: number
  /** Where it happened, with several instances. */
  readonly instance?: string
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
  /** An operator's order, such as a drain. */
  readonly hard: boolean
  /** The backend is healthy now. */
  readonly available: boolean
  /** Number of further backends to which the same happened at that moment. */
  readonly others?: number
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
  /** What happened, in one sentence. */
  readonly text: string
}

interface StateEvent extends Base {
  readonly type: 'state'
  readonly backend: string
  readonly state: string
  readonly before: string
  /** For whom the app did it. */
  readonly who?: string
}

interface BackendsEvent extends Base {
  readonly type: 'backends'
  readonly revision: number
  readonly added?: readonly string[]
  readonly removed?: readonly string[]
  readonly changed?: readonly string[]
}

/** A change by an operator. */
interface AdminEvent extends Happened {
  readonly type: 'admin'
  /** None if it concerns the whole server. */
  readonly balancer?: string
  readonly backend?: string
  /** The whole of it, in one sentence. */
  readonly text: string
  /** It was refused. */
  readonly refused?: object
}

/** Requests are refused, or no longer. */
interface Refusals extends Happened {
  readonly refusing: boolean
  /** What happened, in one sentence. */
  readonly text: string
}

interface QueueEvent extends Refusals {
  readonly type: 'queue'
  readonly balancer: string
}

interface OverloadEvent extends Refusals {
  readonly type: 'overload'
  /** An overload concerns all balancers. */
  readonly balancer?: undefined
}

interface ReloadEvent extends Happened {
  readonly type: 'reload'
  /** A reload concerns all balancers. */
  readonly balancer?: undefined
  /** The new configuration is in force; otherwise nothing was changed. */
  readonly applied: boolean
  /** What has changed, or why nothing was. */
  readonly summary: string
}

/** An event of the feed. */
export type FeedEvent =
  | VetoEvent
  | CircuitEvent
  | PanicEvent
  | StateEvent
  | BackendsEvent
  | AdminEvent
  | QueueEvent
  | OverloadEvent
  | ReloadEvent

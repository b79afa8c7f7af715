/** The list that an instance has in force for a balancer. */
interface ListInForce {
  readonly name: string
  readonly revision: number
  /** Equal for equal lists. */
  readonly digest: string
  /** It is another one than that of the others. */
  readonly drift: boolean
}

/** One process of several that act as one. */
export interface InstanceView {
  readonly id: string
  readonly state: 'starting' | 'ready' | 'draining'
  /** When it was started, in ms since the epoch, by the server's clock. */
  readonly since: number
  /** False if it has not: then its figures are old, or 0. */
  readonly answered: boolean
  readonly process: {
    readonly pid: number
    /** Share of one core, from 0 to 1. */
    readonly cpu: number
    /** In bytes. */
    readonly rss: number
    /** In bytes. */
    readonly heapUsed: number
    /** From 0 to 1. */
    readonly eventLoopUtilized: number
  }
  /** Requests in progress. */
  readonly exchanges: number
  /** Of those, open tunnels. */
  readonly tunnels: number
  /** Requests that have ended since it was started. */
  readonly requests: number
  readonly balancers: readonly ListInForce[]
}

/** All instances, the oldest first. */
export interface InstancesView {
  /** Which one has answered. */
  readonly self: string
  /** Which one does what one does for all, such as probes. */
  readonly keeper: string
  /** How many there should be, where somebody keeps them. */
  readonly wanted?: number
  readonly instances: readonly InstanceView[]
}

/** What came of an order to restart. */
export interface RestartView {
  readonly applied: boolean
  /** What was done, or why nothing was, in one line. */
  readonly summary: string
  readonly faults: readonly string[]
}

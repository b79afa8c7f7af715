/** The shapes that the admin routes answer, as far as the page reads them. */

/** A reason, with an owner, not to use a backend. */
export interface VetoView {
  readonly by: string
  readonly reason: string
  readonly hard: boolean
  /** In ms since the epoch, by the server's clock; so are all moments here. */
  readonly since: number
  readonly evidence?: unknown
}

/** The circuit of a backend. */
export interface CircuitView {
  readonly state: string
  readonly since: number
  readonly reason: string
}

/** What came of one probe. */
export interface ProbeView {
  readonly good: boolean
  /** Set when the probe does not count, and why; `good` is then false. */
  readonly inconclusive?: 'out-of-sockets' | 'pause'
  readonly at: number
  readonly sent: string
  readonly received: string
  /** In ms. */
  readonly timings: { readonly took: number }
}

/** What the probes of a backend say. */
interface HealthView {
  readonly state: string
}

/** A backend, as it is now. */
export interface BackendView {
  readonly id: string
  readonly url: string
  readonly weight: number
  readonly effectiveWeight: number
  readonly priority: number
  readonly maxInFlight: number
  readonly state: 'ready' | 'drain' | 'maintenance'
  readonly available: boolean
  readonly vetoes: readonly VetoView[]
  readonly inFlight: number
  readonly circuit?: CircuitView
  readonly health?: HealthView
}

/** A balancer in the list of all. */
export interface BalancerSummary {
  readonly name: string
  readonly policy: string
  readonly revision: number
  readonly panicking: boolean
  readonly closing: boolean
  readonly backends: number
  readonly available: number
}

/** A balancer with its backends. */
export interface BalancerView {
  readonly name: string
  readonly policy: string
  readonly revision: number
  readonly panicking: boolean
  readonly closing: boolean
  readonly backends: readonly BackendView[]
}

/** How the process is, where @fastify/under-pressure looks after it. */
export interface ProcessFigures {
  readonly overloaded: boolean
  /** In ms. */
  readonly eventLoopDelay: number
  /** From 0 to 1. */
  readonly eventLoopUtilized: number
  /** In bytes. */
  readonly heapUsed: number
  /** In bytes. */
  readonly rssBytes: number
}

/** All balancers. */
export interface BalancersView {
  readonly balancers: readonly BalancerSummary[]
  readonly process?: ProcessFigures
}

/** A server as a whole. */
export interface ServerView {
  readonly state: 'ready' | 'drain'
  /** Clients are told to close their connections. */
  readonly closesConnections: boolean
  /** When they will be, in ms since the epoch; only while the server drains and they are not yet. */
  readonly closesConnectionsAt?: number
  /** Then the app is closed, too; only while the server drains. */
  readonly closesApp?: boolean
  /** On their way through now, of all balancers. */
  readonly exchanges: number
  /** There are none. */
  readonly idle: boolean
}

/** Percentiles, in ms. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** What one backend did in a span of time. */
export interface BackendFigures {
  readonly id: string
  readonly requests: number
  readonly failed: number
  readonly inFlight: number
  readonly latency: Latency | null
}

/** What a balancer did in a span of time. */
export interface Figures {
  readonly balancer: string
  readonly at: number
  /** How long the span was. */
  readonly seconds: number
  /** Exchanges that ended in it. */
  readonly requests: number
  readonly failed: number
  readonly latency: Latency | null
  /** Exchanges on their way through now. */
  readonly exchanges: number
  readonly waiting: number
  readonly process?: ProcessFigures
  readonly backends: readonly BackendFigures[]
}

/** Why a backend would be picked, or not. */
export interface ExplainedBackend {
  readonly id: string
  readonly available: boolean
  readonly vetoes: readonly VetoView[]
  readonly inFlight: number
  readonly maxInFlight: number
  readonly load: number
  readonly weight: number
  readonly effectiveWeight: number
  readonly priority: number
  readonly score: number | null
}

/** Which backend a request would go to. */
export interface ExplanationView {
  readonly picked: string | null
  readonly panicking: boolean
  readonly backends: readonly ExplainedBackend[]
}

/** What is answered in place of what was asked for. */
export interface FaultView {
  readonly message: string
  readonly faults?: readonly string[]
}

/** The responses of the admin routes, as far as the page reads them. */

import type { ByClass, ByOutcome, QueueView, TotalsView } from './past-views.ts'

/** A veto: a reason, with an owner, not to use a backend. */
export interface VetoView {
  readonly by: string
  readonly reason: string
  readonly hard: boolean
  /** In ms since the epoch, by the server's clock, like all times here. */
  readonly since: number
  /** Who ordered it. */
  readonly who?: string
  /** When it ends by itself, in ms since the epoch. */
  readonly until?: number
  readonly evidence?: unknown
  /** In how many instances, where they do not agree. */
  readonly instances?: number
}

/** The circuit of a backend. */
export interface CircuitView {
  readonly state: string
  readonly since: number
  readonly reason: string
  /** The operator who holds it in its state. */
  readonly who?: string
}

/** A probe and its outcome. */
export interface ProbeView {
  readonly good: boolean
  /** Set if the probe does not count, and why; `good` is false then. */
  readonly inconclusive?: 'out-of-sockets' | 'pause'
  readonly at: number
  readonly sent: string
  readonly received: string
  /** In ms. */
  readonly timings: { readonly connected?: number; readonly responded?: number; readonly took: number }
}

/** The health of a backend, by its probes. */
interface HealthView {
  readonly state: string
  readonly since: number
  /** How many probes in a row had the same outcome. */
  readonly consecutive: number
  readonly lastProbe?: ProbeView
  /** Why it is still in rotation although it would be ejected. */
  readonly notEjected?: { readonly reason: string; readonly since: number }
}

/** A backend and its current state. */
export interface BackendView {
  readonly id: string
  readonly url: string
  readonly protocol?: string
  readonly weight: number
  readonly effectiveWeight: number
  readonly priority: number
  readonly maxInFlight: number
  /** Most that may be in flight now, at most `maxInFlight`. */
  readonly limit: number
  readonly zone?: string
  readonly tags: readonly string[]
  readonly state: 'ready' | 'drain' | 'maintenance'
  /** True without any veto; operators say healthy. */
  readonly available: boolean
  /** It may get requests now: in panic mode, unhealthy ones do. */
  readonly eligible: boolean
  /** How many instances there are, and in how many it is healthy, where they do not agree. */
  readonly instances?: { readonly all: number; readonly available: number }
  readonly vetoes: readonly VetoView[]
  readonly inFlight: number
  /** Open tunnels, e.g. of WebSocket. */
  readonly tunnels: number
  /** Since the start, like all counts here. */
  readonly responses: ByClass
  /** Attempts by outcome. */
  readonly outcomes: ByOutcome
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
  /** Number of healthy ones. */
  readonly available: number
  /** Requests in progress. */
  readonly exchanges: number
  readonly queue: QueueView
}

/** A list of backends that is available for rollback. */
export interface RevisionView {
  readonly revision: number
  readonly at: number
  /** Number of backends. */
  readonly backends: number
}

/** A balancer with its backends. */
export interface BalancerView {
  readonly name: string
  readonly policy: string
  readonly revision: number
  readonly panicking: boolean
  readonly closing: boolean
  /** In ms; 0 = none. */
  readonly drainDeadline: number
  readonly queue: QueueView
  readonly totals: TotalsView
  readonly backends: readonly BackendView[]
  /** Lists available for rollback, the oldest first. */
  readonly revisions: readonly RevisionView[]
}

/** Load of the process, as measured by @fastify/under-pressure. */
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
  /** Requests that got 503 since it was overloaded, since the start; absent where nobody counts them. */
  readonly shed?: number
}

/** All balancers. */
export interface BalancersView {
  readonly balancers: readonly BalancerSummary[]
  readonly process?: ProcessFigures
}

/** State of the whole server. */
export interface ServerView {
  readonly state: 'ready' | 'drain'
  /** Responses carry `Connection: close`. */
  readonly closesConnections: boolean
  /** While draining: when they will begin to, in ms since the epoch; absent once they do. */
  readonly closesConnectionsAt?: number
  /** While draining: the app will be closed at that time. */
  readonly closesApp?: boolean
  /** Requests in progress, of all balancers. */
  readonly exchanges: number
  /** Of those, open tunnels. */
  readonly tunnels: number
  /** True if there are none. */
  readonly idle: boolean
}

/** Percentiles, in ms. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Traffic of one backend in a period. */
export interface BackendFigures {
  readonly id: string
  readonly requests: number
  readonly failed: number
  readonly inFlight: number
  readonly tunnels: number
  readonly latency: Latency | null
}

/** Traffic of a balancer in a period. */
export interface Figures {
  readonly balancer: string
  readonly at: number
  /** Length of the period. */
  readonly seconds: number
  /** Requests that ended in it. */
  readonly requests: number
  readonly failed: number
  readonly retries: number
  readonly responses: ByClass
  readonly latency: Latency | null
  /** Requests in progress now. */
  readonly exchanges: number
  /** Of those, open tunnels. */
  readonly tunnels: number
  readonly waiting: number
  readonly process?: ProcessFigures
  readonly backends: readonly BackendFigures[]
}

/** A connection that was upgraded, e.g. to WebSocket. */
export interface TunnelView {
  readonly id: string
  readonly backend: string
  readonly protocol: string
  /** Address of the client. */
  readonly client: string
  readonly path: string
  /** In ms. */
  readonly age: number
  /** From the client to the backend. */
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** The oldest tunnels of a balancer. */
export interface TunnelsView {
  /** Number of all. */
  readonly total: number
  readonly tunnels: readonly TunnelView[]
}

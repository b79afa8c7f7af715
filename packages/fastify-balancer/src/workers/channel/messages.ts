import type { ReloadNotice, ReloadOrder, ReloadReport, RestartReport } from '@fastify-balancer/admin-routes'
import type { BalancersStatus } from '../../server/balancers-status.ts'
import type { ReloadCause } from '../../reload/reload-cause.ts'

/** With what a worker begins. */
export interface Beginning {
  /** It is the one that tells what is odd about the configuration: the others would only repeat it. */
  readonly isFirst: boolean
  /** How many workers there are to be, with this one. */
  readonly wanted: number
  /** The text of the configuration file that is in force, or is to be. */
  readonly text?: string
  /** The key of TLS session tickets, of all workers, in base64. */
  readonly ticketKey: string
}

/** A worker listens. */
export interface Listening {
  /** The lines of its start, for the log. */
  readonly lines: readonly string[]
  /** Every file that its configuration depends on. */
  readonly files: readonly string[]
  /** How long it may take to stop at most (ms); 0 = as long as its requests take. */
  readonly drainDeadline: number
}

/** Why a worker cannot start: what the command prints, and its exit code. */
export interface Refusal {
  readonly message: string
  readonly exitCode: number
  /** What comes before the message on standard error. */
  readonly report: string
}

/** A reload that a worker has looked at, and holds until it is ordered to do it or not. */
export interface ProposedReload {
  /** What would come of it. */
  readonly report: ReloadReport
  /** Every file that the configuration depends on now. */
  readonly files: readonly string[]
}

/** By the parent, without waiting for an answer. */
export interface ToldToWorker {
  readonly begin: Beginning
  readonly ping: number
  /** `hasSuccessors`: other workers take what is new. */
  readonly drain: { readonly hasSuccessors: boolean }
  readonly reopenLog: null
  readonly useTicketKey: string
  /** For those who listen to reloads: one of the workers is told. */
  readonly reloaded: Omit<ReloadNotice, 'server'>
}

/** By a worker. */
export interface ToldToParent {
  readonly listening: Listening
  readonly refused: Refusal
  readonly pong: { readonly number: number; readonly status: BalancersStatus }
}

/** Questions of the parent, with their answers. */
export type AskedOfWorker = {
  /** Those before it go: what its configuration says is in force from now on. */
  readonly takeOver: readonly [null, null]
  readonly prepareReload: readonly [{ readonly text: string; readonly cause: ReloadCause }, ProposedReload]
  /** What is to be done with what it holds. */
  readonly endReload: readonly [{ readonly commit: boolean }, null]
}

/** Questions of a worker. */
export type AskedOfParent = {
  /** To make way for a Unix socket; `fault`: why it cannot be opened. */
  readonly clearSocket: readonly [string, { readonly fault?: string }]
  readonly reload: readonly [ReloadOrder, ReloadReport]
  /** It has stopped listening. Answered once no worker listens any more. */
  readonly stoppedListening: readonly [null, null]
  readonly restart: readonly [{ readonly who: string | undefined }, RestartReport]
}

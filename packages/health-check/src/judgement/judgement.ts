// Room `judgement`: decisions about backends, with their evidence.
import type { Backend } from '@fastify-balancer/balancer-core'

/** One decision about a backend, with its evidence. */
export interface Judgement {
  /** When, in ms since the epoch. */
  readonly at: number
  /** Who decided: also the owner of the veto. */
  readonly by: 'health-check' | 'outlier-detection' | 'pressure'
  /** True if this check has no objection (any more). */
  readonly good: boolean
  /** The rule that decided, in words: `3 probes in a row failed: connect ECONNREFUSED`. */
  readonly rule: string
  /** The evidence: plain data for JSON, without secrets. */
  readonly evidence: unknown
}

/** Called for every judgement that changes something; `isTold`: by the probe of another instance, which judges likewise. */
export type Judge = (backend: Backend, judgement: Judgement, isTold?: boolean) => void

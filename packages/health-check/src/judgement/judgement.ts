// Room `judgement`: what was judged of a backend, and what it rested on.
import type { Backend } from '@fastify-balancer/balancer-core'

/** One decision about a backend, with what it rests on. */
export interface Judgement {
  /** When, in ms since the epoch. */
  readonly at: number
  /** Who decided: also the owner of the veto. */
  readonly by: 'health-check' | 'outlier-detection' | 'pressure'
  /** May it get requests, as far as this check can say? */
  readonly good: boolean
  /** The rule that decided, as one would say it: `3 probes in a row failed: connect ECONNREFUSED`. */
  readonly rule: string
  /** What it rests on: plain data, fit for JSON, without secrets. */
  readonly evidence: unknown
}

/** Hears of every judgement that changes something. */
export type Judge = (backend: Backend, judgement: Judgement) => void

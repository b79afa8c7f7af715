import type { BalancerSummary } from '../api/views.ts'

/** How bad it is. */
export type Tone = 'good' | 'warn' | 'bad'

/** The state of a balancer, in a word and a colour. */
export interface Condition {
  readonly tone: Tone
  /** `3 of 5 healthy`; with `panic mode` where it is. */
  readonly text: string
  /** For sorting: the larger, the worse. */
  readonly severity: number
}

/** This share of failed requests is worse than an unhealthy backend that the others make up for. */
export const manyErrors = 0.05

/** Whether the queue refuses requests, in words; undefined if it does not. */
function refusingText({ queue: { waiting, max, refusingSince } }: BalancerSummary): string | undefined {
  if (max > 0 && waiting >= max) return 'queue full'
  return refusingSince === undefined ? undefined : 'refusing requests'
}

/** Requests are refused, since there is no room for them to wait. */
export function isRefusing(summary: BalancerSummary): boolean {
  return refusingText(summary) !== undefined
}

/** How many instances use another list than the others, in words. */
export function driftingText(drifting: number): string {
  return `${drifting} ${drifting === 1 ? 'instance drifts' : 'instances drift'}`
}

/** What the summary does not tell. */
interface Signs {
  /** Share of failed requests now, from 0 to 1. */
  readonly errors?: number
  /** How many instances use another list than the others. */
  readonly drifting?: number
}

function toneOf(summary: BalancerSummary, { errors = 0, drifting = 0 }: Signs): Tone {
  const { backends, available, panicking } = summary
  if (drifting > 0) return 'bad'
  if (backends === 0 || available === 0 || panicking || isRefusing(summary) || errors >= manyErrors) return 'bad'
  return available < backends || errors > 0 ? 'warn' : 'good'
}

/** The state of a balancer. */
export function conditionOf(summary: BalancerSummary, signs: Signs = {}): Condition {
  const { errors = 0, drifting = 0 } = signs
  const { backends, available, panicking, closing } = summary
  const tone = toneOf(summary, signs)
  const words = [
    backends === 0 ? 'no backends' : `${available} of ${backends} healthy`,
    panicking ? 'panic mode' : undefined,
    refusingText(summary),
    drifting > 0 ? driftingText(drifting) : undefined,
    closing ? 'closing' : undefined,
  ]
  const sick = backends === 0 ? 1 : (backends - available) / backends
  const severity = { good: 0, warn: 10, bad: 20 }[tone] + 5 * sick + 4 * errors + (isRefusing(summary) ? 1 : 0)
  return { tone, text: words.filter((word) => word !== undefined).join(' · '), severity }
}

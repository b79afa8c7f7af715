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

function toneOf({ backends, available, panicking }: BalancerSummary, errors: number, isFull: boolean): Tone {
  if (backends === 0 || available === 0 || panicking || isFull || errors >= manyErrors) return 'bad'
  return available < backends || errors > 0 ? 'warn' : 'good'
}

/** The queue takes no more requests: the next are answered with 503. */
export function isQueueFull({ waiting, queue }: BalancerSummary): boolean {
  return queue !== undefined && queue.max > 0 && waiting >= queue.max
}

/** The state of a balancer. `errors`: share of failed requests now, from 0 to 1. */
export function conditionOf(summary: BalancerSummary, errors = 0): Condition {
  const { backends, available, panicking, closing } = summary
  const isFull = isQueueFull(summary)
  const tone = toneOf(summary, errors, isFull)
  const words = [
    backends === 0 ? 'no backends' : `${available} of ${backends} healthy`,
    ...(panicking ? ['panic mode'] : []),
    ...(isFull ? ['queue full'] : []),
    ...(closing ? ['closing'] : []),
  ]
  const sick = backends === 0 ? 1 : (backends - available) / backends
  const rank = { good: 0, warn: 10, bad: 20 }[tone]
  return { tone, text: words.join(' · '), severity: rank + 5 * sick + 4 * errors + (isFull ? 1 : 0) }
}

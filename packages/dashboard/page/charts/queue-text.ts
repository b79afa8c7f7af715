import { count } from '../figures-text.ts'
import type { BalancerView } from '../api/views.ts'

/** Why a request that should wait was refused, in words. */
const reasons: Readonly<Record<string, string>> = {
  'queue-full': 'refused as full',
  'queue-timeout': 'timed out',
  'queue-shed': 'shed',
}

/** The queue in words: how many wait, of how many, and how many were refused since the start, and why. */
export function queueText({ queue, totals }: Pick<BalancerView, 'queue' | 'totals'>): string {
  const refused = Object.entries(reasons).flatMap(([outcome, words]) => {
    const times = totals.outcomes[outcome] ?? 0
    return times === 0 ? [] : [`${count(times)} ${words}`]
  })
  return [`${count(queue.waiting)} of ${count(queue.max)} waiting`, ...refused].join(', ')
}

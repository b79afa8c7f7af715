import { count } from '../figures-text.ts'
import type { ByOutcome, QueueView } from '../api/past-views.ts'

/** Why a request that should wait was refused, in words. */
const reasons: Readonly<Record<string, string>> = {
  'queue-full': 'refused as full',
  'queue-timeout': 'timed out',
  'queue-shed': 'shed',
}

/** The queue in words: how many wait, of how many, and how many were refused since the start, and why. */
export function queueText({ waiting, max }: QueueView, outcomes: ByOutcome): string {
  const refused = Object.entries(reasons).flatMap(([outcome, words]) => {
    const times = outcomes[outcome] ?? 0
    return times === 0 ? [] : [`${count(times)} ${words}`]
  })
  return [`${count(waiting)} of ${count(max)} waiting`, ...refused].join(', ')
}

import type { ByOutcome } from '../api/past-views.ts'

/** No failures: whole responses, attempts that were given up because another one was faster, and what clients did. */
export const fine = new Set([
  'ok',
  'hedge-lost',
  'bad-request',
  'unsupported-version',
  'upgrade-with-body',
  'upgrade-required',
  'request-stalled',
  'client-deadline',
  'client-gone',
  'client-stalled',
])

/** What failed and how often, most often first. */
export function failuresIn(outcomes: ByOutcome): readonly (readonly [outcome: string, times: number])[] {
  return Object.entries(outcomes)
    .filter(([outcome, times]) => times > 0 && !fine.has(outcome))
    .toSorted(([, one], [, other]) => other - one)
}

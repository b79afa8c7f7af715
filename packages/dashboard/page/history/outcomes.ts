import type { ByOutcome } from '../api/past-views.ts'

/** Not failures: whole responses, and attempts that were given up because another one was faster. */
const fine = new Set(['ok', 'hedge-lost'])

/** What failed and how often, most often first. */
export function failuresIn(outcomes: ByOutcome): readonly (readonly [outcome: string, times: number])[] {
  return Object.entries(outcomes)
    .filter(([outcome, times]) => times > 0 && !fine.has(outcome))
    .toSorted(([, one], [, other]) => other - one)
}

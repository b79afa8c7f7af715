import type { Picker, Policy } from '../policy.ts'
import { Turns } from './turns.ts'

/** Each in turn, as often as its weight says and spread out: smooth weighted round robin (see `turns.ts`). O(n). */
export function weighted(): Policy {
  const turns = new Turns()

  return {
    name: 'weighted',
    over(available): Picker {
      const round = turns.among(available)
      return {
        pick: () => round.take(),
        peek: (_request, ahead = 0) => round.peek(ahead),
        // The most credit is the best score, so it is negated.
        score: (backend) => -round.creditOf(backend),
      }
    },
  }
}

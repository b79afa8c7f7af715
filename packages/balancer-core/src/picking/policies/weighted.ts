import type { Picker, Policy } from '../policy.ts'
import { Turns } from './turns.ts'

/** Each in turn, in proportion to weights and evenly spread: smooth weighted round robin (see `turns.ts`). O(n). */
export function weighted(): Policy {
  const turns = new Turns()

  return {
    name: 'weighted',
    over(available): Picker {
      const round = turns.among(available)
      return {
        pick: () => round.take(),
        peek: (_request, ahead = 0) => round.peek(ahead),
        // Lower scores are better, so the credit is negated.
        score: (backend) => -round.creditOf(backend),
      }
    },
  }
}

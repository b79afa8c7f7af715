import type { Backend } from '../../backends/backend.ts'
import type { Picker, Policy } from '../policy.ts'
import type { PolicyCost } from './named-policy.ts'
import { Turns } from './turns.ts'
import { costsLess } from './two-choices.ts'

/**
 * The one that costs least relative to its weight; ties take turns by smooth weighted round robin, as in nginx's
 * `least_conn`. O(n): for large sets, two choices are nearly as good in O(1).
 */
export function least(name: string, cost: PolicyCost): Policy {
  const turns = new Turns()

  return {
    name,
    over(available): Picker {
      const round = turns.among(available)
      function cheapest(): readonly Backend[] {
        let best: Backend[] = []
        for (const backend of available) {
          if (best.length === 0 || costsLess(backend, best[0]!, cost)) best = [backend]
          else if (!costsLess(best[0]!, backend, cost)) best.push(backend)
        }
        return best
      }
      return {
        pick() {
          const best = cheapest()
          return best.length === 1 ? best[0] : round.take(best)
        },
        peek(_request, ahead = 0) {
          const best = cheapest()
          return best.length === 1 ? best[0] : round.peek(ahead, best)
        },
        score: (backend) => cost(backend) / backend.effectiveWeight,
      }
    },
  }
}

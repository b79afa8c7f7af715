import type { Picker, Policy } from '../policy.ts'
import type { PolicyCost } from './named-policy.ts'
import { Turns } from './turns.ts'

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
      /** The indexes of all that cost least. Cross-multiplied as for two choices, with each cost asked for once. */
      function cheapest(): readonly number[] {
        let best: number[] = []
        let lowest = 0
        let weight = 0
        for (let index = 0; index < available.length; index++) {
          const backend = available[index]!
          const own = cost(backend)
          const one = own * weight
          const other = lowest * backend.effectiveWeight
          if (index > 0 && one > other) continue
          if (index > 0 && one === other) best.push(index)
          else {
            best = [index]
            lowest = own
            weight = backend.effectiveWeight
          }
        }
        return best
      }
      return {
        pick() {
          const best = cheapest()
          return best.length === 1 ? available[best[0]!] : round.take(best)
        },
        peek(_request, ahead = 0) {
          const best = cheapest()
          return best.length === 1 ? available[best[0]!] : round.peek(ahead, best)
        },
        score: (backend) => cost(backend) / backend.effectiveWeight,
      }
    },
  }
}

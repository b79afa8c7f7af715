import type { Backend } from '../../backends/backend.ts'
import type { Picker, Policy } from '../policy.ts'
import { isLessLoaded } from './p2c.ts'
import { Turns } from './turns.ts'

/**
 * The fewest requests relative to its weight; ties take turns by smooth weighted round robin, as in nginx's
 * `least_conn`. O(n): for large sets, `p2c` is nearly as good in O(1).
 */
export function leastRequests(): Policy {
  const turns = new Turns()

  return {
    name: 'least-requests',
    over(available): Picker {
      const round = turns.among(available)
      function least(): readonly Backend[] {
        let best: Backend[] = []
        for (const backend of available) {
          if (best.length === 0 || isLessLoaded(backend, best[0]!)) best = [backend]
          else if (!isLessLoaded(best[0]!, backend)) best.push(backend)
        }
        return best
      }
      return {
        pick() {
          const best = least()
          return best.length === 1 ? best[0] : round.take(best)
        },
        peek(_request, ahead = 0) {
          const best = least()
          return best.length === 1 ? best[0] : round.peek(ahead, best)
        },
        score: ({ load, effectiveWeight }) => load / effectiveWeight,
      }
    },
  }
}

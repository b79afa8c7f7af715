import type { Backend } from '../../backends/backend.ts'
import type { Picker, Policy } from '../policy.ts'
import { isLessLoaded } from './p2c.ts'
import { weighted } from './weighted.ts'

/**
 * The least loaded for its weight; equals take turns by smooth weighted round robin, as in nginx's `least_conn`. O(n):
 * for large sets, `p2c` is nearly as good in O(1).
 */
export function leastRequests(): Policy {
  const turns = weighted()

  return {
    name: 'least-requests',
    over(available): Picker {
      function least(): readonly Backend[] {
        let best: Backend[] = []
        for (const backend of available) {
          if (best.length === 0 || isLessLoaded(backend, best[0]!)) best = [backend]
          else if (!isLessLoaded(best[0]!, backend)) best.push(backend)
        }
        return best
      }
      return {
        pick(request) {
          const best = least()
          return best.length === 1 ? best[0] : turns.over(best).pick(request)
        },
        peek(request, ahead) {
          const best = least()
          return best.length === 1 ? best[0] : turns.over(best).peek(request, ahead)
        },
        score: ({ load, effectiveWeight }) => load / effectiveWeight,
      }
    },
  }
}

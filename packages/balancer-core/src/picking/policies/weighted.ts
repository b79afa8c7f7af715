import type { Backend } from '../../backends/backend.ts'
import type { Picker, Policy } from '../policy.ts'

interface Turn {
  readonly backend: Backend
  credit: number
}

/**
 * Smooth weighted round robin, nginx's rule: each pick adds every backend's weight to its credit, takes the one with
 * the most credit (the first of equals) and charges it the sum of the weights. Weights 5:1:1 give a a b a c a a. O(n).
 */
export function weighted(): Policy {
  // Credit belongs to the backend, not to the picker: a change of the set does not restart the round.
  const turns = new WeakMap<Backend, Turn>()

  function turnOf(backend: Backend): Turn {
    let turn = turns.get(backend)
    if (turn === undefined) turns.set(backend, (turn = { backend, credit: 0 }))
    return turn
  }

  return {
    name: 'weighted',
    over(available): Picker {
      const all = available.map(turnOf)
      const total = available.reduce((sum, { effectiveWeight }) => sum + effectiveWeight, 0)

      function take(from: readonly Turn[]): Turn | undefined {
        let best = from[0]
        if (best === undefined) return undefined
        for (const turn of from) {
          turn.credit += turn.backend.effectiveWeight
          if (turn.credit > best.credit) best = turn
        }
        best.credit -= total
        return best
      }

      return {
        pick: () => take(all)?.backend,
        peek(_request, ahead = 0) {
          const copy = all.map(({ backend, credit }) => ({ backend, credit }))
          for (let step = 0; step < ahead; step++) take(copy)
          return take(copy)?.backend
        },
        // The most credit is the best score, so it is negated.
        score: (backend) => -(turnOf(backend).credit + backend.effectiveWeight),
      }
    },
  }
}

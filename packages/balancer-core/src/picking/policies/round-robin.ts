import type { Backend } from '../../backends/backend.ts'
import type { Picker, Policy } from '../policy.ts'
import { weighted } from './weighted.ts'
import { weightsAreEqual } from './weights.ts'

/** Each in turn, in O(1). Where weights differ, the turns are those of `weighted`. */
export function roundRobin(): Policy {
  // The set of the last pick, and the next backend in it.
  let order: readonly Backend[] = []
  let next = 0
  const uneven = weighted()

  /** Where the rotation continues in a new set: at the next backend in turn that is still there. */
  function resume(available: readonly Backend[]): number {
    // Usually it is the very next one, so a long list need not be searched.
    const position = available.indexOf(order[next]!)
    if (position >= 0 || order.length === 0) return Math.max(position, 0)
    const positions = new Map(available.map((backend, index) => [backend, index]))
    for (let step = 0; step < order.length; step++) {
      const found = positions.get(order[(next + step) % order.length]!)
      if (found !== undefined) return found
    }
    return 0
  }

  return {
    name: 'round-robin',
    over(available): Picker {
      if (!weightsAreEqual(available)) return uneven.over(available)
      let position = resume(available)
      return {
        pick() {
          const backend = available[position]
          if (backend === undefined) return undefined
          position = position + 1 === available.length ? 0 : position + 1
          order = available
          next = position
          return backend
        },
        peek: (_request, ahead = 0) => available[(position + ahead) % available.length],
      }
    },
  }
}

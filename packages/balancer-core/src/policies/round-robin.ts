import type { Backend } from '../backend.ts'
import type { Picker, Policy } from '../policy.ts'
import { weighted } from './weighted.ts'
import { weightsAreEqual } from './weights.ts'

/** Each in turn, in O(1). Where weights differ, the turns are those of `weighted`. */
export function roundRobin(): Policy {
  let order: readonly Backend[] = []
  let next = 0
  const uneven = weighted()

  /** Where the round goes on in a changed set: at the first successor of the last pick that is still there. */
  function resume(available: readonly Backend[]): number {
    const positions = new Map(available.map((backend, index) => [backend, index]))
    for (let step = 0; step < order.length; step++) {
      const position = positions.get(order[(next + step) % order.length]!)
      if (position !== undefined) return position
    }
    return 0
  }

  return {
    name: 'round-robin',
    over(available): Picker {
      if (!weightsAreEqual(available)) return uneven.over(available)
      next = resume(available)
      order = available
      return {
        pick() {
          const backend = available[next]
          if (++next >= available.length) next = 0
          return backend
        },
        peek: () => available[next],
      }
    },
  }
}

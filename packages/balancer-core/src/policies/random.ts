import type { Picker, Policy } from '../policy.ts'
import { WeightLine, weightsAreEqual } from './weights.ts'

/** Any of them, each as often as its weight says. O(1); O(log n) where weights differ. */
export function random(nextNumber: () => number): Policy {
  // Drawn one ahead, so that peek can tell the next pick and change nothing.
  let draw = nextNumber()

  return {
    name: 'random',
    over(available): Picker {
      const line = weightsAreEqual(available) ? undefined : new WeightLine(available)
      const chosen = () => available[line ? line.at(draw * line.total) : Math.floor(draw * available.length)]
      return {
        pick() {
          const backend = chosen()
          draw = nextNumber()
          return backend
        },
        peek: chosen,
      }
    },
  }
}

import type { Picker, Policy } from '../policy.ts'
import { Draws } from './draws.ts'
import { WeightLine } from './weights.ts'

/** A random one, in proportion to weights. O(1); O(log n) where weights differ. */
export function random(nextNumber: () => number): Policy {
  const draws = new Draws(nextNumber)

  return {
    name: 'random',
    over(available): Picker {
      const line = new WeightLine(available)
      const chosen = (draw: number) => available[line.drawn(draw)]
      return {
        pick: () => chosen(draws.next()),
        peek: (_request, ahead = 0) => chosen(draws.peek(ahead)),
      }
    },
  }
}

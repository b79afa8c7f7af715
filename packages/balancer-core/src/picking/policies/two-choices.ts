import type { Backend } from '../../backends/backend.ts'
import type { Picker, Policy } from '../policy.ts'
import type { PolicyCost } from './named-policy.ts'
import { Draws } from './draws.ts'
import { WeightLine, weightsAreEqual } from './weights.ts'

/** Does the first cost less relative to its weight? Cross-multiplied, as HAProxy does, so that nothing is rounded. */
export function costsLess(first: Backend, second: Backend, cost: PolicyCost): boolean {
  return cost(first) * second.effectiveWeight < cost(second) * first.effectiveWeight
}

/**
 * The power of two choices: of two different backends drawn at random, by weight, the one that costs less relative to
 * its weight; on a tie the first drawn. (Finagle's distinct draws, HAProxy's `random(2)` comparison.) O(1); O(log n)
 * where weights differ.
 */
export function twoChoices(name: string, cost: PolicyCost, random: () => number): Policy {
  const draws = new Draws(random)

  return {
    name,
    over(available): Picker {
      const count = available.length
      const line = weightsAreEqual(available) ? undefined : new WeightLine(available)

      function chosen(firstDraw: number, secondDraw: number): Backend | undefined {
        if (count < 2) return available[0]
        let first: number
        let second: number
        if (line === undefined) {
          first = Math.floor(firstDraw * count)
          second = Math.floor(secondDraw * (count - 1))
          if (second >= first) second++
        } else {
          first = line.at(firstDraw * line.total)
          // The second point lies on the line without the first backend's part.
          const weight = available[first]!.effectiveWeight
          const point = secondDraw * (line.total - weight)
          second = line.at(point < line.start(first) ? point : point + weight)
        }
        return costsLess(available[second]!, available[first]!, cost) ? available[second] : available[first]
      }

      return {
        pick: () => chosen(draws.next(), draws.next()),
        peek: (_request, ahead = 0) => chosen(draws.peek(2 * ahead), draws.peek(2 * ahead + 1)),
        score: (backend) => cost(backend) / backend.effectiveWeight,
      }
    },
  }
}

import type { Backend, Picker, Policy, PolicyDetails, PolicyParts } from '@fastify-balancer/balancer-core'
import { meanWeightOf } from './mean-weight.ts'
import type { Observations } from './observations.ts'
import type { Observed } from './observed.ts'

/** What a rule makes of what was observed. */
export interface Rating<State extends Observed> {
  cost(this: void, state: State, now: number, meanWeight: number): number
  details(this: void, state: State, now: number): PolicyDetails
}

/** The backend that costs least of all; ties take turns by weight. O(n). */
export function leastOf<State extends Observed>(
  name: string,
  least: PolicyParts['least'],
  seen: Observations<State>,
  { cost, details }: Rating<State>,
): Policy {
  let meanWeight = 1
  const costOf = (backend: Backend) => cost(seen.of(backend), seen.now(), meanWeight)
  // `least` divides by the weight, which is in the cost already.
  const turns = least(name, (backend) => costOf(backend) * backend.effectiveWeight)
  return {
    name,
    over(available): Picker {
      meanWeight = meanWeightOf(available)
      const states = available.map((backend) => seen.of(backend))
      const ofEquals = turns.over(available)
      /** Undefined if several cost the same. `least` would find it, too, but reads each several times. */
      function cheapest(): Backend | undefined {
        const now = seen.now()
        let best: Backend | undefined
        let lowest = Infinity
        for (const state of states) {
          const one = cost(state, now, meanWeight)
          if (one > lowest) continue
          best = one === lowest ? undefined : state.backend
          lowest = one
        }
        return best
      }
      return {
        pick: (request) => cheapest() ?? ofEquals.pick(request),
        peek: (request, ahead) => cheapest() ?? ofEquals.peek(request, ahead),
        score: costOf,
        details: (backend) => details(seen.of(backend), seen.now()),
      }
    },
    attach: (balancer) => seen.attach(balancer),
  }
}

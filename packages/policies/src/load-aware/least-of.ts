import type { Backend, Picker, Policy, PolicyDetails, PolicyParts } from '@fastify-balancer/balancer-core'
import { meanWeightOf } from './mean-weight.ts'
import type { Observations } from './observations.ts'
import type { Observed } from './observed.ts'

/** In sets up to this size all backends are compared; in larger ones, some that are drawn by weight. */
const mostCompared = 32
/** So many; as many again would find hardly better ones. */
const drawn = 16

/** What a rule makes of what was observed. */
export interface Rating<State extends Observed> {
  cost(this: void, state: State, now: number, meanWeight: number): number
  details(this: void, state: State, now: number, meanWeight: number): PolicyDetails
}

/**
 * The backend that costs least of all; ties take turns by weight. In large sets, the one that costs least of some that
 * are drawn, so that a pick takes no longer with more backends.
 */
export function leastOf<State extends Observed>(
  name: string,
  { least, draws, weightLine }: PolicyParts,
  seen: Observations<State>,
  { cost, details }: Rating<State>,
): Policy {
  let meanWeight = 1
  const costOf = (backend: Backend) => cost(seen.of(backend), seen.now(), meanWeight)
  // `least` divides by the weight, which is in the cost already.
  const turns = least(name, (backend) => costOf(backend) * backend.effectiveWeight)
  const numbers = draws()
  const next = () => numbers.next()

  function ofAll(available: readonly Backend[], states: readonly State[]): Pick<Picker, 'pick' | 'peek'> {
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
    }
  }

  function ofDrawn(available: readonly Backend[], states: readonly State[]): Pick<Picker, 'pick' | 'peek'> {
    const line = weightLine(available)
    /** Of equals the first drawn, since draws follow the weights. */
    function cheapest(number: (index: number) => number): Backend {
      const now = seen.now()
      let best = states[line.drawn(number(0))]!
      let lowest = cost(best, now, meanWeight)
      for (let index = 1; index < drawn; index++) {
        const state = states[line.drawn(number(index))]!
        const one = cost(state, now, meanWeight)
        if (one >= lowest) continue
        best = state
        lowest = one
      }
      return best.backend
    }
    return {
      pick: () => cheapest(next),
      peek: (_request, ahead = 0) => cheapest((index) => numbers.peek(ahead * drawn + index)),
    }
  }

  return {
    name,
    over(available): Picker {
      meanWeight = meanWeightOf(available)
      const states = available.map((backend) => seen.of(backend))
      const isSmall = available.length <= mostCompared
      return {
        ...(isSmall ? ofAll : ofDrawn)(available, states),
        score: costOf,
        details: (backend) => details(seen.of(backend), seen.now(), meanWeight),
        basis: () => ({ compared: isSmall ? available.length : drawn }),
      }
    },
    attach: (balancer) => seen.attach(balancer),
  }
}

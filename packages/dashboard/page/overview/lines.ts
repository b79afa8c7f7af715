import { driftingOf } from '../live/fleet.ts'
import { balancerState, type PageState } from '../live/state.ts'
import type { BalancerSummary, Figures } from '../api/views.ts'
import { conditionOf, type Condition } from './condition.ts'

/** A balancer in the overview. */
export interface Line {
  readonly summary: BalancerSummary
  readonly now: Figures | undefined
  readonly errors: number
  readonly condition: Condition
}

function lineOf(state: PageState, summary: BalancerSummary): Line {
  const { now } = balancerState(state, summary.name)
  const errors = now === undefined || now.requests === 0 ? 0 : now.failed / now.requests
  return {
    summary,
    now,
    errors,
    condition: conditionOf(summary, { errors, drifting: driftingOf(state.fleet, summary.name) }),
  }
}

/** The worst first; of equally bad ones, as the server lists them. */
export function linesOf(state: PageState): readonly Line[] {
  const lines = (state.balancers ?? []).map((summary) => lineOf(state, summary))
  return lines.toSorted((a, b) => b.condition.severity - a.condition.severity)
}

import { driftingOf, type Fleet } from '../live/fleet.ts'
import { conditionOf } from '../overview/condition.ts'
import type { BalancerSummary } from '../api/views.ts'

/** So many tabs can be taken in at a glance. */
const mostTabs = 8

/** Of many balancers, the chosen one and the worst; the overview has them all. */
export function tabsOf(
  balancers: readonly BalancerSummary[],
  chosen: string | undefined,
  fleet?: Fleet,
): readonly BalancerSummary[] {
  if (balancers.length <= mostTabs) return balancers
  const conditionNow = (one: BalancerSummary) => conditionOf(one, { drifting: driftingOf(fleet, one.name) })
  const severity = (one: BalancerSummary) => (one.name === chosen ? Infinity : conditionNow(one).severity)
  const worst = balancers
    .filter((one) => one.name === chosen || conditionNow(one).tone !== 'good')
    .toSorted((a, b) => severity(b) - severity(a))
  const shown = new Set(worst.slice(0, mostTabs))
  return balancers.filter((one) => shown.has(one))
}

import { conditionOf } from '../overview/condition.ts'
import type { BalancerSummary } from '../api/views.ts'

/** So many tabs can be taken in at a glance. */
const mostTabs = 8

/** Of many balancers, the chosen one and the worst; the overview has them all. */
export function tabsOf(balancers: readonly BalancerSummary[], chosen: string | undefined): readonly BalancerSummary[] {
  if (balancers.length <= mostTabs) return balancers
  const severity = (one: BalancerSummary) => (one.name === chosen ? Infinity : conditionOf(one).severity)
  const worst = balancers
    .filter((one) => one.name === chosen || conditionOf(one).tone !== 'good')
    .toSorted((a, b) => severity(b) - severity(a))
  const shown = new Set(worst.slice(0, mostTabs))
  return balancers.filter((one) => shown.has(one))
}

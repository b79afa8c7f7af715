import { figure, markdownTable } from '../markdown.ts'
import type { CountsComparison } from './compare.ts'

/** p99 by what the instances know; gossip and all also as a ratio to their own counts only. */
export function countsAsMarkdown(comparisons: readonly CountsComparison[]): string {
  const beside = (one: number, other: number) => `${figure(other)} (${(other / one).toFixed(2)})`
  return markdownTable(
    ['p99 ms', 'backends', 'instances', 'own counts', "others' counts each 100 ms", 'all counts'],
    comparisons.map(({ policy, scenario, backends, instances, own, gossip, all }) => [
      `${policy}, ${scenario}`,
      String(backends),
      String(instances),
      figure(own.p99),
      beside(own.p99, gossip.p99),
      beside(own.p99, all.p99),
    ]),
  )
}

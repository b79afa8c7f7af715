import { durationOf } from '../result/durations.ts'
import { fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { longestAge, stickyOf, tellOfSecret } from '../result/sticky.ts'
import { textOf } from './syntax/directive.ts'
import type { Scope } from './scope.ts'

/** `sticky cookie name …` */
export function stickyIn(scope: Scope, report: Report): Tree | undefined {
  let sticky: Tree | undefined
  for (const directive of scope.own('sticky')) {
    const [kind, name, ...rest] = directive.args
    if (kind !== 'cookie' || name === undefined) {
      report.leaveOut(directive.place, textOf(directive), 'clients are kept by a cookie of the balancer only')
      continue
    }
    const attributes = new Map(
      rest.map((one) => [one.split('=')[0]!.toLowerCase(), one.split('=').slice(1).join('=')] as const),
    )
    const expires = attributes.get('expires')
    const age = expires === 'max' ? longestAge : durationOf(expires ?? '', 's', Infinity)
    sticky = fromLine(directive.place, stickyOf(name, attributes, age), 'sticky cookie')
    tellOfSecret(report, directive.place, textOf(directive))
  }
  return sticky
}

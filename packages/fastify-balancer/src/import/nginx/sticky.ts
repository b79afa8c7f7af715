import { durationOf } from '../result/durations.ts'
import { fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { longestAge, stickyOf, tellOfSecret } from '../result/sticky.ts'
import { textOf } from './directive.ts'
import type { Scope } from './scope.ts'

/** `sticky cookie name …`, or `ip_hash`, which does the same by the client's address. */
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
  for (const directive of scope.own('ip_hash')) {
    sticky ??= fromLine(directive.place, stickyOf('srv', new Map()), 'ip_hash')
    tellOfSecret(report, directive.place, textOf(directive), ', by a cookie and not by their addresses')
  }
  return sticky
}

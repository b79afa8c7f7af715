import { byDefault, fromLine, type Tree, type TreeObject } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import type { Passing } from './passing.ts'
import type { Scope } from './scope.ts'
import { textOf, type Directive } from './syntax/directive.ts'

/** `proxy_redirect`: whether addresses in responses follow; undefined where ours do what it says anyway. */
function locationOf(scope: Scope, { replacement }: Passing, isOwnHost: boolean, report: Report): Tree | undefined {
  const directive = scope.get('proxy_redirect')
  const [first = 'default'] = directive?.args ?? []
  if (first === 'off')
    return replacement === undefined ? undefined : fromLine(directive!.place, false, textOf(directive!))
  if (first !== 'default')
    report.leaveOut(
      directive!.place,
      textOf(directive!),
      'only redirects to the backend itself and below its prefix are changed; `rewrite.response` in a module can do more',
    )
  if (replacement !== undefined || !isOwnHost) return undefined
  return byDefault('nginx', true, 'proxy_redirect default: redirects to what proxy_pass names')
}

/** Text in place of text, without patterns and variables. */
function isUsable({ args: [from = '', to] }: Directive): boolean {
  return to !== undefined && !from.startsWith('~') && !`${from}${to}`.includes('$')
}

/** Pairs of `proxy_cookie_path` or `proxy_cookie_domain`, each with what takes its place. */
function pairsOf(scope: Scope, name: string, report: Report): Tree | undefined {
  const pairs: [string, string][] = []
  for (const directive of scope.all(name)) {
    const [from = '', to = ''] = directive.args
    if (from === 'off') continue
    if (isUsable(directive)) pairs.push([from, to])
    else report.leaveOut(directive.place, textOf(directive), 'only fixed text takes the place of fixed text')
  }
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs)
}

/** What changes in paths, and in the addresses that responses name. `isOwnHost`: backends see the Host of `proxy_pass`. */
export function rewriteOf(scope: Scope, passing: Passing, isOwnHost: boolean, report: Report): TreeObject | undefined {
  const { replacement, directive } = passing
  const path = pairsOf(scope, 'proxy_cookie_path', report)
  const domain = pairsOf(scope, 'proxy_cookie_domain', report)
  const tree = {
    stripPrefix: replacement === '/' ? true : undefined,
    prefix:
      replacement === undefined || replacement === '/'
        ? undefined
        : fromLine(directive.place, replacement, textOf(directive)),
    location: locationOf(scope, passing, isOwnHost, report),
    cookies: path === undefined && domain === undefined ? undefined : { path, domain },
  }
  return Object.values(tree).some((value) => value !== undefined) ? tree : undefined
}

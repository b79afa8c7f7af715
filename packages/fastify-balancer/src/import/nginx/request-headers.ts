import { byDefault, fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import type { Scope } from './scope.ts'

/** What is known where a location is read. */
export interface Surroundings {
  /** `$proxy_host`: the authority of `proxy_pass`, as it is written there. */
  readonly proxyHost: string
  /** Do clients use the port that the scheme has by default, so that `$host` is the whole Host? */
  readonly usualPorts: boolean
}

const asItComes = new Set(['$host', '$http_host', '$host:$server_port'])

/** These mean something to our option `host`; names are compared without case, so a capital is the same name. */
function literalHost(name: string): string {
  return name === 'backend' || name === 'preserve' ? name[0]!.toUpperCase() + name.slice(1) : name
}

function named(scope: Scope, name: string): Directive | undefined {
  return scope.all('proxy_set_header').findLast(({ args }) => args[0]?.toLowerCase() === name)
}

/** The Host that backends see: without a directive, nginx sends what `proxy_pass` names, and `isOwn` is true. */
export function hostOf(
  scope: Scope,
  { proxyHost, usualPorts }: Surroundings,
  report: Report,
): { readonly host: Tree; readonly isOwn: boolean } {
  const directive = named(scope, 'host')
  const value = directive?.args[1] ?? '$proxy_host'
  const text = directive === undefined ? '' : textOf(directive)
  if (directive !== undefined && asItComes.has(value)) {
    if (value === '$host' && !usualPorts)
      report.differs(
        directive.place,
        text,
        'nginx takes the port off; here backends see the Host as the client sent it',
      )
    return { host: fromLine(directive.place, 'preserve', text), isOwn: false }
  }
  if (value === '$proxy_host') {
    const host = byDefault('nginx', literalHost(proxyHost), 'Host is $proxy_host, what proxy_pass names')
    return { host, isOwn: true }
  }
  if (!value.includes('$') && value !== '')
    return { host: fromLine(directive!.place, literalHost(value), text), isOwn: false }
  report.leaveOut(directive!.place, text, "Host can be the client's, the backend's own, or one text")
  return { host: 'preserve', isOwn: false }
}

const forwarded: Readonly<Record<string, readonly string[]>> = {
  'x-forwarded-for': ['$remote_addr', '$proxy_add_x_forwarded_for'],
  'x-forwarded-proto': ['$scheme'],
  'x-forwarded-host': ['$host', '$http_host', '$host:$server_port'],
}

/** Is it what is done here anyway, whatever the file says? */
function isNeedless(name: string, value: string): boolean {
  return name === 'connection' && (value === '' || value === 'close' || value === 'keep-alive')
}

const reasons: Readonly<Record<string, string>> = {
  'x-real-ip': "backends find the client's address in x-forwarded-for",
  upgrade: 'upgrades such as WebSocket are not carried over',
  connection: 'upgrades such as WebSocket are not carried over',
}

function judge(directive: Directive, report: Report): void {
  const [given = '', value = ''] = directive.args
  const name = given.toLowerCase()
  const { place } = directive
  const text = textOf(directive)
  const known = forwarded[name]
  if (name === 'host') return
  if (isNeedless(name, value)) report.notNeeded(place, text, 'connections to backends are kept in any case')
  else if (known === undefined)
    report.leaveOut(place, text, reasons[name] ?? 'headers are set by `rewrite.request` in a module')
  else if (!known.includes(value)) report.leaveOut(place, text, `${name} always has its usual value`)
  else if (value === '$proxy_add_x_forwarded_for')
    report.differs(
      place,
      text,
      'what clients send in X-Forwarded-For is replaced, not added to, unless `trustProxy` of the listener trusts them',
    )
}

/** Which of `x-forwarded-*` backends see. */
export function forwardedOf(scope: Scope, report: Report): Tree {
  const all = scope.all('proxy_set_header')
  for (const directive of all) judge(directive, report)
  const first = all.find(({ args }) => Object.hasOwn(forwarded, (args[0] ?? '').toLowerCase()))
  if (first === undefined) return byDefault('nginx', { xForwarded: false }, 'no x-forwarded-* is added')
  const missing = Object.keys(forwarded).filter((name) => named(scope, name) === undefined)
  if (missing.length > 0) report.differs(first.place, textOf(first), `backends also get ${missing.join(' and ')}`)
  return fromLine(first.place, { xForwarded: true })
}

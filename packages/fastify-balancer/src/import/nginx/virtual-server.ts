import { bare, Sourced, type TreeObject } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { isBelow, prefixOf, type Route } from '../result/routes.ts'
import { absolute, backendTlsOf } from './backend-tls.ts'
import { certificateOf, listensOf, type Certificate, type Listen } from './listens.ts'
import { guardOf, locationsOf, type Location } from './locations.ts'
import { passingOf, type Passing } from './passing.ts'
import { failingStatuses, retryOf, timeoutsOf } from './proxying.ts'
import { forwardedOf, hostOf } from './request-headers.ts'
import { rewriteOf } from './rewriting.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import type { Scope } from './scope.ts'
import { balancingOf, type ServerList } from './server-list.ts'

/** What all servers of a file share. */
export interface Site {
  /** The first file. */
  readonly file: string
  readonly serverLists: ReadonlyMap<string, ServerList>
  readonly report: Report
}

/** A `server` block that forwards something. */
export interface VirtualServer {
  readonly directive: Directive
  readonly listens: readonly Listen[]
  /** Without those that no client can ask for, such as `_`. */
  readonly names: readonly string[]
  readonly certificate: Certificate | undefined
  /** For any host, so far. */
  readonly routes: readonly Route[]
}

const usualPort = ({ port, isTls, path }: Listen) => path !== undefined || port === (isTls ? 443 : 80)

/** The options of a balancer that does what a location does. */
function optionsOf({ scope }: Location, passing: Passing, listens: readonly Listen[], site: Site): TreeObject {
  const { file, report } = site
  const { scheme, authority, list } = passing
  const { pool, ...balancing } = balancingOf(list, scheme, failingStatuses(scope))
  const tls = scheme === 'https' ? backendTlsOf(scope, file, report) : undefined
  // nginx calls a Unix socket so.
  const proxyHost = authority.startsWith('unix:') ? 'localhost' : authority
  const { host, isOwn } = hostOf(scope, { proxyHost, usualPorts: listens.every(usualPort) }, report)
  const version = scope.get('proxy_http_version')
  if (version !== undefined) report.notNeeded(version.place, textOf(version), 'requests to backends use HTTP/1.1')
  return {
    ...balancing,
    pool: pool === undefined && tls === undefined ? undefined : { ...(pool as TreeObject | undefined), tls },
    timeouts: timeoutsOf(scope, report),
    retry: retryOf(scope, list.servers.filter(({ isDown }) => !isDown).length, report),
    host,
    forwarded: forwardedOf(scope, report),
    rewrite: rewriteOf(scope, passing, isOwn, report),
  }
}

/** Without backends: what nginx keeps from them, they do not get here either. */
function closed(options: TreeObject, why: string): TreeObject {
  const backends = bare(options['backends']) as readonly (string | { readonly url: string })[] | undefined
  const urls = backends?.map((one) => (typeof one === 'string' ? one : one.url)).join(', ')
  const once = urls === undefined ? '' : `; once they are guarded in another way: ${urls}`
  return { ...options, backends: new Sourced([], `answered with 503 because of ${why}${once}`) }
}

const nothing: TreeObject = { healthCheck: false, circuitBreaker: false }

function routeOf(location: Location, listens: readonly Listen[], site: Site): Route {
  const { directive, path, scope } = location
  const { report, serverLists } = site
  const route = { hosts: [], prefix: prefixOf(path) }
  const isPassed = scope.own('proxy_pass').length > 0
  const passing = passingOf(location, serverLists, report)
  const guard = guardOf(location, report)
  if (passing !== undefined) {
    const options = optionsOf(location, passing, listens, site)
    if (guard === undefined) return { ...route, name: passing.list.name, options }
    return { ...route, name: `closed ${path}`, options: closed(options, guard) }
  }
  if (!isPassed)
    report.leaveOut(directive.place, textOf(directive), 'there is no proxy_pass in it; it is answered with 503')
  for (const inner of directive.block ?? []) if (inner.name !== 'location') scope.skip(inner)
  const why = guard ?? `line ${directive.place.line}, which is not carried over`
  return { ...route, name: `closed ${path}`, options: closed(nothing, why) }
}

/** Of two locations that are one prefix here, such as `/api` and `/api/`, the one for what is below it. */
function withoutTwins(routes: readonly { readonly route: Route; readonly location: Location }[], report: Report) {
  return routes.filter(({ route, location }) => {
    const twin = routes.find((other) => other.route.prefix === route.prefix && other.location !== location)
    if (twin === undefined || location.path.endsWith('/') || !twin.location.path.endsWith('/')) return true
    const { directive } = location
    report.leaveOut(
      directive.place,
      textOf(directive),
      `here it is one with line ${twin.location.directive.place.line}`,
    )
    return false
  })
}

const isClosed = ({ options }: Route) => (bare(options['backends']) as readonly unknown[]).length === 0

/** Nothing is forwarded there, nor around it: 404 is answered anyway. */
function isIdle(route: Route, routes: readonly Route[]): boolean {
  const around = routes.filter(({ prefix }) => isBelow(route.prefix, prefix))
  return around.every((one) => isClosed(one) && one.options['policy'] === undefined)
}

/** Reads a `server` block; undefined if it forwards nothing: what it says is then reported as left out. */
export function virtualServerOf(directive: Directive, scope: Scope, site: Site): VirtualServer | undefined {
  const { report, file } = site
  if (!JSON.stringify(directive).includes('"proxy_pass"')) {
    scope.own('server_name')
    for (const one of scope.own('listen'))
      report.leaveOut(one.place, textOf(one), 'nothing of this server is forwarded, so it does not listen here')
    return undefined
  }
  const listens = listensOf(scope, directive, report)
  const names = scope.own('server_name').flatMap(({ args }) => args)
  const certificate = certificateOf(scope, report)
  const read = locationsOf(scope, report).map((location) => ({ location, route: routeOf(location, listens, site) }))
  const routes = withoutTwins(read, report).map(({ route }) => route)
  return {
    directive,
    listens,
    names: names.map((name) => name.toLowerCase()).filter((name) => name !== '_' && name !== ''),
    certificate: certificate && {
      ...certificate,
      cert: absolute(certificate.cert, file),
      key: absolute(certificate.key, file),
    },
    routes: routes.filter((route) => !isIdle(route, routes)),
  }
}

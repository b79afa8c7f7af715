import { Sourced, type TreeObject } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { isBelow, prefixOf, type Route } from '../result/routes.ts'
import { absolute, backendTlsOf } from './backend-tls.ts'
import { certificateOf, listensOf, type Certificate, type Listen } from './listens.ts'
import { guardOf, locationsOf, type Location } from './locations.ts'
import { passingOf, type Passing } from './passing.ts'
import { failingStatuses, retryOf, timeoutsOf } from './proxying.ts'
import { forwardedOf, hostOf } from './request-headers.ts'
import { textOf, type Directive } from './directive.ts'
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
  const { scheme, authority, list, directive, stripsPrefix } = passing
  const { pool, ...balancing } = balancingOf(list, scheme, failingStatuses(scope))
  const tls = scheme === 'https' ? backendTlsOf(scope, file, report) : undefined
  const around = { proxyHost: authority, passing: directive, usualPorts: listens.every(usualPort) }
  const version = scope.get('proxy_http_version')
  if (version !== undefined) report.notNeeded(version.place, textOf(version), 'backends are spoken to in HTTP/1.1')
  return {
    ...balancing,
    pool: pool === undefined && tls === undefined ? undefined : { ...(pool as TreeObject | undefined), tls },
    timeouts: timeoutsOf(scope, report),
    retry: retryOf(scope, list.servers.filter(({ isDown }) => !isDown).length, report),
    host: hostOf(scope, around, report),
    forwarded: forwardedOf(scope, report),
    rewrite: stripsPrefix ? { stripPrefix: true } : undefined,
  }
}

/** No backends: what nginx keeps from them, they do not get here either. */
function closed(why: string): TreeObject {
  return { backends: new Sourced([], `answered with 503: ${why}`), healthCheck: false, circuitBreaker: false }
}

function routeOf(location: Location, listens: readonly Listen[], site: Site): Route {
  const { directive, path, scope } = location
  const { line } = directive.place
  const prefix = prefixOf(path)
  const passing = passingOf(location, site.serverLists, site.report)
  const guard = guardOf(location, site.report)
  if (passing !== undefined && guard === undefined)
    return { name: passing.list.name, hosts: [], prefix, options: optionsOf(location, passing, listens, site) }
  if (passing === undefined && guard === undefined && scope.own('proxy_pass').length === 0)
    site.report.leaveOut(
      directive.place,
      textOf(directive),
      'nothing is forwarded there by proxy_pass; it is answered with 503',
    )
  return { name: `closed ${path}`, hosts: [], prefix, options: closed(guard ?? `line ${line} is not carried over`) }
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

const isClosed = (route: Route) => route.options['backends'] instanceof Sourced

/** Closed, with nothing around it that forwards: there, 404 is answered anyway. */
function isIdle(route: Route, routes: readonly Route[]): boolean {
  return isClosed(route) && !routes.some((other) => !isClosed(other) && isBelow(route.prefix, other.prefix))
}

/** Reads a `server` block; undefined if it forwards nothing: what it says is then reported as left out. */
export function virtualServerOf(directive: Directive, scope: Scope, site: Site): VirtualServer | undefined {
  if (!JSON.stringify(directive).includes('"proxy_pass"')) return undefined
  const { report, file } = site
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

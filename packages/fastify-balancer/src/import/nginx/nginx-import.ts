// Room `import/nginx`: reads the configuration of nginx, and says which of our balancers do the same.
import { bare, type Draft } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { balancersOf } from '../result/routes.ts'
import { readDirectives, textOf, type Directive } from './syntax/directive.ts'
import { routesByHost } from './hosts.ts'
import { listenerOf, placeOf, type Listen } from './listens.ts'
import { reportRest, Scope, type Handled } from './scope.ts'
import { serverListOf } from './server-list.ts'
import { virtualServerOf, type VirtualServer } from './virtual-server.ts'

/** What is different from nginx whatever the file says; written at the top of ours. */
export const nginxDifferences: readonly string[] = [
  'paths with dot segments (/a/../b) get 400; nginx resolves them',
  'bodies may have any size; nginx refuses more than 1 MB unless client_max_body_size says otherwise',
  'bodies are streamed both ways; nginx collects them, so that slow clients do not occupy a backend',
  'x-forwarded-*, x-real-ip and forwarded from clients are removed unless trustProxy of the listener trusts them',
  'requests to backends use HTTP/1.1 and kept connections; nginx uses HTTP/1.0 unless proxy_http_version says otherwise',
  'each balancer counts requests and failures of its backends for itself; in nginx, locations share an upstream',
  'failures are answered with 502, 503 or 504 and JSON; nginx answers 502 or 504 and HTML',
]

/** Everything that listens, by place; what only servers without proxy_pass listen to is not opened. */
function listenersOf(servers: readonly VirtualServer[], report: Report) {
  const places = new Map<string, { listens: Listen[]; servers: VirtualServer[] }>()
  for (const server of servers)
    for (const listen of server.listens) {
      const place = places.get(placeOf(listen)) ?? { listens: [], servers: [] }
      place.listens.push(listen)
      if (!place.servers.includes(server)) place.servers.push(server)
      places.set(placeOf(listen), place)
    }
  return [...places].map(([name, place]) => {
    for (const server of servers.filter((one) => !place.servers.includes(one)))
      report.leaveOut(
        server.directive.place,
        textOf(server.directive),
        `it does not listen on ${name}, but answers there too here`,
      )
    const isTls = place.listens.some((one) => one.isTls)
    const owner = place.servers.find((one) =>
      one.listens.some((listen) => listen.isDefault && placeOf(listen) === name),
    )
    const certificate =
      (owner ?? place.servers[0]!).certificate ?? place.servers.find((one) => one.certificate)?.certificate
    if (isTls) reportCertificates(place.servers, certificate?.cert, report)
    return listenerOf(place.listens, isTls ? certificate : undefined)
  })
}

function reportCertificates(servers: readonly VirtualServer[], used: string | undefined, report: Report): void {
  if (used === undefined)
    report.leaveOut(
      servers[0]!.directive.place,
      'listen … ssl',
      'there is no ssl_certificate; the listener is without TLS',
    )
  for (const { certificate } of servers)
    if (certificate !== undefined && certificate.cert !== used)
      report.leaveOut(
        certificate.place,
        `ssl_certificate ${certificate.cert}`,
        `a listener has one certificate: ${used}`,
      )
}

/** Two servers that are the same but for where they listen, such as on port 80 and with TLS, are one here. */
function withoutTwins(servers: readonly VirtualServer[]): readonly VirtualServer[] {
  const merged = new Map<string, VirtualServer>()
  for (const server of servers) {
    const routes = server.routes.map(({ prefix, options }) => [prefix, bare(options)])
    const key = JSON.stringify([server.names, routes])
    const { listens = [], certificate } = merged.get(key) ?? {}
    merged.set(key, {
      ...(merged.get(key) ?? server),
      listens: [...listens, ...server.listens],
      certificate: certificate ?? server.certificate,
    })
  }
  return [...merged.values()]
}

/** A file of its own may hold what is within `http`, as those that it includes do. */
function httpScope(directives: readonly Directive[], handled: Handled): Scope {
  const top = new Scope(directives, handled)
  const blocks = top.own('http').flatMap(({ block = [] }) => block)
  return blocks.length === 0 ? top : new Scope(blocks, handled)
}

/** Carries over what can be carried over, and reports everything else. */
export function importNginx(file: string, report: Report): Draft {
  const directives = readDirectives(file)
  const handled: Handled = new Set()
  const http = httpScope(directives, handled)
  const serverLists = new Map(
    http.own('upstream').map((one) => [one.args[0] ?? '', serverListOf(one, http.within(one), report)] as const),
  )
  const site = { file, serverLists, report }
  const servers = withoutTwins(
    http
      .own('server')
      .map((one) => virtualServerOf(one, http.within(one), site))
      .filter((one) => one !== undefined),
  )
  const draft = { listen: listenersOf(servers, report), balancers: balancersOf(routesByHost(servers, report)) }
  reportRest(directives, handled, report)
  return draft
}

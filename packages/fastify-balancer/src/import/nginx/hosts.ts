import type { Report } from '../result/report.ts'
import type { Route } from '../result/routes.ts'
import { textOf } from './syntax/directive.ts'
import type { VirtualServer } from './virtual-server.ts'

/** A name, or `*.` before one. */
const isPlain = (name: string) => /^(?:\*\.)?\w[\w.-]*$/.test(name)

/** Names as nginx reads them: `.example.com` is the name and all below it. Ports do not matter, here as there. */
function hostsOf({ names }: VirtualServer): readonly string[] {
  return [
    ...new Set(names.flatMap((name) => (name.startsWith('.') ? [name.slice(1), `*${name}`] : [name])).filter(isPlain)),
  ]
}

/**
 * May a server have no hosts, and so get all requests that no other server gets, as nginx's default server does? Only
 * if that takes nothing from the others: its prefixes would come before their `/`.
 */
function canBeDefault(server: VirtualServer, others: readonly VirtualServer[]): boolean {
  if (others.length === 0) return true
  return (
    server.routes.every(({ prefix }) => prefix === '/') &&
    others.every(({ routes }) => routes.some(({ prefix }) => prefix === '/'))
  )
}

function reportNames({ directive, names }: VirtualServer, report: Report): void {
  for (const name of names)
    if (!isPlain(name.replace(/^\./, '')))
      report.leaveOut(
        directive.place,
        `server_name ${name}`,
        'a host is a name here, or `*.` before a name; other patterns need a program',
      )
}

/** The routes of all servers, each for the hosts of its server. */
function allRoutes(servers: readonly VirtualServer[], report: Report): readonly Named[] {
  const fallback = servers.find(({ listens }) => listens.some(({ isDefault }) => isDefault)) ?? servers[0]
  return servers.flatMap((server) => {
    const others = servers.filter((other) => other !== server)
    if (server === fallback && canBeDefault(server, others)) return namedBy(server, [])
    reportNames(server, report)
    const hosts = hostsOf(server)
    const { place } = server.directive
    if (hosts.length === 0)
      report.leaveOut(
        place,
        textOf(server.directive),
        'it has no host name of its own, by which its requests could be told',
      )
    else if (server === fallback)
      report.leaveOut(place, 'default server', 'requests for hosts that no server names are answered with 404')
    return hosts.flatMap((host) => namedBy(server, [host]))
  })
}

interface Named {
  readonly route: Route
  readonly server: VirtualServer
}

function namedBy(server: VirtualServer, hosts: readonly string[]): readonly Named[] {
  return server.routes.map(({ name, prefix, options }) => ({ route: { name, hosts, prefix, options }, server }))
}

/** The same; of two for the same requests, the first. */
export function routesByHost(servers: readonly VirtualServer[], report: Report): readonly Route[] {
  const seen = new Map<string, Named>()
  for (const named of allRoutes(servers, report)) {
    const { route, server } = named
    const key = route.hosts.join() + route.prefix
    const earlier = seen.get(key)
    if (earlier === undefined) seen.set(key, named)
    else
      report.leaveOut(
        server.directive.place,
        `server, location ${route.prefix}`,
        `the server of line ${earlier.server.directive.place.line} has the same host and path`,
      )
  }
  return [...seen.values()].map(({ route }) => route)
}

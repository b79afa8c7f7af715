import type { Report } from '../result/report.ts'
import type { Route } from '../result/routes.ts'
import { textOf } from './directive.ts'
import type { VirtualServer } from './virtual-server.ts'

const isPlain = (name: string) => /^[\w.-]+$/.test(name) && !name.startsWith('.')

/** Hosts as clients send them: with the port, unless it is the one that the scheme has by default. */
function hostsOf({ names, listens }: VirtualServer): readonly string[] {
  const suffixes = listens.map(({ port, isTls, path }) =>
    path !== undefined || port === (isTls ? 443 : 80) ? '' : `:${port}`,
  )
  return names.filter(isPlain).flatMap((name) => [...new Set(suffixes)].map((suffix) => name + suffix))
}

/**
 * May a server have no hosts, and so get all requests that no other server gets, as nginx's default server does? Only
 * if that takes nothing from the others: its prefixes would come before their `/`.
 */
function canBeDefault(server: VirtualServer, others: readonly VirtualServer[]): boolean {
  return (
    server.routes.every(({ prefix }) => prefix === '/') &&
    others.every(({ routes }) => routes.some(({ prefix }) => prefix === '/'))
  )
}

function reportNames({ directive, names }: VirtualServer, report: Report): void {
  for (const name of names)
    if (!isPlain(name))
      report.leaveOut(
        directive.place,
        `server_name ${name}`,
        'a host is one name here; wildcards and patterns need a program',
      )
}

/** The routes of all servers, each for the hosts of its server. */
export function routesByHost(servers: readonly VirtualServer[], report: Report): readonly Route[] {
  const fallback = servers.find(({ listens }) => listens.some(({ isDefault }) => isDefault)) ?? servers[0]
  if (servers.length === 1) return servers[0]!.routes
  return servers.flatMap((server) => {
    if (
      server === fallback &&
      canBeDefault(
        server,
        servers.filter((other) => other !== server),
      )
    )
      return server.routes
    reportNames(server, report)
    const { directive, routes } = server
    const hosts = hostsOf(server)
    if (hosts.length === 0) {
      report.leaveOut(
        directive.place,
        textOf(directive),
        'it has no host name of its own, by which its requests could be told',
      )
      return []
    }
    if (server === fallback)
      report.leaveOut(
        directive.place,
        'default server',
        'requests for hosts that no server names are answered with 404',
      )
    return routes.map(({ name, prefix, options }) => ({ name, hosts, prefix, options }))
  })
}

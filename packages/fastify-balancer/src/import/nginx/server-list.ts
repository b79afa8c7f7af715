import { readAddress } from '@fastify-balancer/option-schema'
import { backendUrl } from '../result/backend-url.ts'
import { durationOf } from '../result/durations.ts'
import { byDefault, fromLine, type Tree, type TreeObject } from '../result/draft.ts'
import type { Place, Report } from '../result/report.ts'
import { circuitsOf, type Server } from './server.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import { hashPolicyOf } from './hashing.ts'
import type { Scope } from './scope.ts'
import { stickyIn } from './sticky.ts'

/** The servers that stand behind one name. */
export interface ServerList {
  readonly name: string
  readonly place: Place
  readonly servers: readonly Server[]
  readonly policy: Tree
  /** Clients are kept at one server. */
  readonly sticky: Tree | undefined
  /** How long idle connections are kept, if the file says so. */
  readonly keepAlive: Tree | undefined
}

/** `least_time header | last_byte [inflight]` */
function leastTimeOf([to, inflight]: readonly string[]): Tree {
  const settings = {
    to: to === 'last_byte' ? 'last-byte' : undefined,
    inflight: inflight === 'inflight' ? true : undefined,
  }
  return Object.values(settings).some((one) => one !== undefined) ? { name: 'least-time', ...settings } : 'least-time'
}

/** Directives that choose a server, and the policy that chooses in the same way. */
function policyOf(scope: Scope, report: Report): Tree {
  const [leastConn, leastTime, random] = (['least_conn', 'least_time', 'random'] as const).map((name) =>
    scope.own(name).at(-1),
  )
  const byHash = hashPolicyOf({ hash: scope.own('hash').at(-1), ipHash: scope.own('ip_hash').at(-1) }, report)
  if (byHash !== undefined) return byHash
  if (leastConn !== undefined) return fromLine(leastConn.place, 'least-requests', 'least_conn')
  if (leastTime !== undefined) return fromLine(leastTime.place, leastTimeOf(leastTime.args), textOf(leastTime))
  if (random === undefined) return byDefault('nginx', 'round-robin', 'round robin, by weight')
  const [two, method] = random.args
  if (two !== undefined && (method ?? 'least_conn') !== 'least_conn')
    report.leaveOut(random.place, textOf(random), `there is no ${method}; of the two, the less loaded is taken`)
  return fromLine(random.place, two === undefined ? 'random' : 'p2c', textOf(random))
}

/** Host and port of a server, or its Unix socket; nginx takes port 80 where none is given, also for https. */
function authorityOf(address: string): string | undefined {
  if (address.includes('$')) return undefined
  if (address.startsWith('unix:')) return 'url' in readAddress(address) ? address : undefined
  const url = URL.parse(`http://${address}`)
  if (url === null || url.pathname !== '/' || url.search !== '') return undefined
  return /:\d+$/.test(address) ? address : `${address}:80`
}

const plainParameters = new Set(['weight', 'max_conns', 'max_fails', 'fail_timeout', 'backup', 'down'])

function serverOf(directive: Directive, report: Report): Server | undefined {
  const [address = '', ...rest] = directive.args
  const { place } = directive
  const text = textOf(directive)
  const authority = authorityOf(address)
  if (authority === undefined) {
    report.leaveOut(place, text, 'a backend needs a host and a port, or the whole path of a Unix socket')
    return undefined
  }
  const given = new Map(rest.map((one) => [one.split('=')[0]!, one.split('=').slice(1).join('=')]))
  for (const name of given.keys())
    if (name === 'resolve') report.notNeeded(place, text, 'names of backends are looked up again in any case')
    else if (!plainParameters.has(name)) report.leaveOut(place, text, `there is no counterpart of ${name}`)
  const number = (name: string, otherwise: number) => Number(given.get(name) ?? otherwise)
  return {
    place,
    text,
    authority,
    weight: number('weight', 1),
    maxConns: number('max_conns', 0),
    maxFails: number('max_fails', 1),
    failTimeout: durationOf(given.get('fail_timeout') ?? '10s', 's') ?? 10_000,
    isBackup: given.has('backup'),
    isDown: given.has('down'),
  }
}

/** Reads an `upstream` block. */
export function serverListOf(directive: Directive, scope: Scope, report: Report): ServerList {
  const servers: Server[] = []
  for (const one of scope.own('server')) {
    const server = serverOf(one, report)
    if (server === undefined) continue
    const twin = servers.find(({ authority, isDown }) => authority === server.authority && !isDown)
    if (twin === undefined || server.isDown) servers.push(server)
    else
      report.leaveOut(server.place, server.text, `it is the same backend as line ${twin.place.line}; raise its weight`)
  }
  const [keepalive] = scope.own('keepalive')
  const [timeout] = scope.own('keepalive_timeout')
  for (const one of [...scope.own('keepalive_requests'), ...scope.own('keepalive_time')])
    report.notNeeded(one.place, textOf(one), 'connections are kept as long as the backend keeps them')
  const kept = timeout === undefined ? undefined : durationOf(timeout.args[0] ?? '', 's')
  return {
    name: directive.args[0] ?? '',
    place: directive.place,
    servers,
    policy: policyOf(scope, report),
    sticky: stickyIn(scope, report),
    keepAlive:
      keepalive === undefined
        ? undefined
        : kept === undefined
          ? byDefault(
              'nginx',
              60_000,
              `keepalive_timeout 60s (keepalive: ${keepalive.place.file}:${keepalive.place.line})`,
            )
          : fromLine(timeout!.place, kept),
  }
}

/** The upstream that a bare address in `proxy_pass` stands for. */
export function singleServer(authority: string, place: Place): ServerList {
  const address = { place, text: authority, authority, weight: 1, maxConns: 0, maxFails: 1, failTimeout: 10_000 }
  return {
    name: authority.replace(/:\d+$/, ''),
    place,
    servers: [{ ...address, isBackup: false, isDown: false }],
    policy: 'round-robin',
    sticky: undefined,
    keepAlive: undefined,
  }
}

function backendOf(server: Server, scheme: string): Tree {
  const { authority, weight, maxConns, isBackup, place } = server
  const url = backendUrl(authority, scheme)
  if (weight === 1 && maxConns === 0 && !isBackup) return fromLine(place, url)
  const backend = {
    url,
    weight: weight === 1 ? undefined : weight,
    priority: isBackup ? 1 : undefined,
    maxInFlight: maxConns === 0 ? undefined : maxConns,
  }
  return fromLine(place, backend)
}

/** What a balancer over an upstream is made of. */
export function balancingOf(
  { servers, policy, sticky, keepAlive }: ServerList,
  scheme: string,
  failing: readonly number[],
): TreeObject {
  const used = servers.filter(({ isDown }) => !isDown)
  const most = Math.max(...used.map(({ maxConns }) => maxConns))
  const pool = { connections: most > 1024 ? most : undefined, keepAliveTimeout: keepAlive }
  return {
    policy,
    sticky,
    backends: used.map((server) => backendOf(server, scheme)),
    pool: Object.values(pool).some((value) => value !== undefined) ? pool : undefined,
    queue:
      most > 0
        ? byDefault('nginx', { max: 0 }, 'when every server has max_conns requests, more are refused at once')
        : undefined,
    panicThreshold: byDefault('nginx', false, 'servers that are out get no requests, even if all are out'),
    healthCheck: byDefault('nginx', false, 'servers are not probed'),
    circuitBreaker: circuitsOf(used, scheme, failing),
  }
}

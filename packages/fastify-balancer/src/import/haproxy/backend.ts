import { byDefault, fromLine, Sourced, type Tree, type TreeObject } from '../result/draft.ts'
import { durationOf } from '../result/durations.ts'
import type { Report } from '../result/report.ts'
import { resolve } from 'node:path'
import type { Folders } from './folders.ts'
import { healthCheckOf } from './checks.ts'
import { textOf } from './lines.ts'
import { retryOf } from './retries.ts'
import type { Section } from './section.ts'
import { stickyIn } from './sticky.ts'
import { backendOf, numberOf, serverOf, type Server } from './server.ts'

function policyOf(section: Section, report: Report): Tree {
  const line = section.get('balance')
  if (line === undefined) {
    report.differs(
      section.head.place,
      textOf(section.head),
      'no balance is given: round-robin as in HAProxy up to 3.2; from 3.3 on, it is random',
    )
    return byDefault('HAProxy', 'round-robin', 'roundrobin (up to 3.2)')
  }
  const [, method = ''] = line.words
  if (method === 'roundrobin' || method === 'static-rr') return fromLine(line.place, 'round-robin', textOf(line))
  if (method === 'leastconn') return fromLine(line.place, 'least-requests', textOf(line))
  if (method === 'random(1)') return fromLine(line.place, 'random', textOf(line))
  if (/^random(?:\(2\))?$/.test(method)) return fromLine(line.place, 'p2c', textOf(line))
  report.leaveOut(line.place, textOf(line), 'there is no such policy; round robin is used instead')
  return 'round-robin'
}

/** A timeout in ms; HAProxy has none where the file sets none. */
export function timeoutOf(section: Section, name: string): number {
  return durationOf(section.get('timeout', name)?.words[2] ?? '0', 'ms') ?? 0
}

function timeoutTree(section: Section, name: string, otherwise?: string): Tree {
  const line = section.get('timeout', name)
  if (line !== undefined) return fromLine(line.place, timeoutOf(section, name), `timeout ${name}`)
  if (otherwise === undefined) return byDefault('HAProxy', 0, `no timeout ${name}`)
  return byDefault('HAProxy', timeoutOf(section, otherwise), `timeout ${name} is that of ${otherwise}`)
}

function timeoutsOf(section: Section): TreeObject {
  return {
    connect: timeoutTree(section, 'connect'),
    headers: timeoutTree(section, 'server'),
    idle: timeoutTree(section, 'server'),
    queue: timeoutTree(section, 'queue', 'connect'),
  }
}

/** Only the first backup is used, unless `option allbackups`: each has a priority of its own then. */
function prioritiesOf(section: Section, servers: readonly Server[]): readonly number[] {
  const all = section.get('option', 'allbackups') !== undefined
  let backups = 0
  return servers.map(({ settings }) => {
    if (!settings.has('backup')) return 0
    backups++
    return all ? 1 : backups
  })
}

function tlsOf(servers: readonly Server[], folders: Folders, report: Report): TreeObject | undefined {
  const secure = servers.filter(({ settings }) => settings.has('ssl'))
  const [first] = secure
  if (first === undefined) return undefined
  const { settings, line } = first
  for (const other of secure)
    if (['verify', 'ca-file', 'crt', 'verifyhost'].some((name) => other.settings.get(name) !== settings.get(name)))
      report.leaveOut(
        other.line.place,
        textOf(other.line),
        `TLS is set for all backends of a balancer: as in line ${line.place.line}`,
      )
  const sni = settings.get('sni')
  const name = /^str\((.*)\)$/.exec(sni ?? '')?.[1]
  if (sni !== undefined && name === undefined)
    report.leaveOut(line.place, textOf(line), `sni ${sni}: the name in TLS is one text`)
  const [ca, cert] = [settings.get('ca-file'), settings.get('crt')]
  return {
    ca: ca === undefined || ca === '@system-ca' ? undefined : { file: resolve(folders.ca, ca) },
    cert: cert === undefined ? undefined : { file: resolve(folders.crt, cert) },
    key: cert === undefined ? undefined : { file: resolve(folders.crt, cert) },
    servername: settings.get('verifyhost') ?? name,
    rejectUnauthorized: settings.get('verify') === 'none' ? fromLine(line.place, false, 'verify none') : undefined,
  }
}

/** What is the same for every route to a backend. */
export function optionsOf(section: Section, folders: Folders, report: Report): TreeObject {
  const defaults = section.get('default-server')
  const servers = section
    .own('server')
    .map((line) => serverOf(line, defaults === undefined ? [] : [defaults], report))
    .filter((server) => server !== undefined)
  const priorities = prioritiesOf(section, servers)
  const most = Math.max(0, ...servers.map((server) => numberOf(server, 'maxconn') ?? 0))
  const tls = tlsOf(servers, folders, report)
  const connections = most > 1024 ? most : undefined
  return {
    policy: policyOf(section, report),
    sticky: stickyIn(section, servers, report),
    backends: servers.map((server, index) => backendOf(server, priorities[index]!)),
    pool: tls === undefined && connections === undefined ? undefined : { connections, tls },
    timeouts: timeoutsOf(section),
    retry: retryOf(section, report),
    queue:
      most > 0
        ? byDefault('HAProxy', { max: 1_000_000 }, 'any number may wait for maxconn, for timeout queue')
        : undefined,
    panicThreshold: byDefault('HAProxy', false, 'servers that are down get no requests, even if all are down'),
    healthCheck: healthCheckOf(section, servers, report),
    circuitBreaker: new Sourced(false, "HAProxy's default: failures of requests take no server out"),
  }
}

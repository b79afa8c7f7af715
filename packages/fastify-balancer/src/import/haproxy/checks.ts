import { byDefault, fromLine, Sourced, type Tree, type TreeObject } from '../result/draft.ts'
import { durationOf } from '../result/durations.ts'
import type { Report } from '../result/report.ts'
import { textOf, type Line } from './lines.ts'
import type { Section } from './section.ts'
import { numberOf, type Server } from './server.ts'

/** HAProxy takes servers out by checks alone, unless `observe` is given. */
const noOutliers: Tree = {
  consecutive: { failures: 0, unreached: 0 },
  successRate: { stdev: 0 },
  latency: { factor: 0 },
}

type Request = { -readonly [Key in 'method' | 'path' | 'host']?: string } & { headers: Record<string, string> }

/** `http-check send`: what it says comes on top of `option httpchk`. */
function readSend({ words }: Line, request: Request): string | undefined {
  for (let index = 2; index < words.length;) {
    const [word, value = '', more = ''] = words.slice(index)
    if (word === 'meth') request.method = value
    else if (word === 'uri') request.path = value
    else if (word === 'hdr' && value.toLowerCase() === 'host') request.host = more
    else if (word === 'hdr') request.headers[value.toLowerCase()] = more
    else if (word !== 'ver') return word
    index += word === 'hdr' ? 3 : 2
  }
  return undefined
}

function expectOf(lines: readonly Line[], report: Report): Tree {
  const last = lines.at(-1)
  if (last === undefined) return byDefault('HAProxy', { statuses: ['200-399'] }, '2xx and 3xx are good')
  const [, , kind, value = ''] = last.words
  if (kind === 'status' && /^[\d,-]+$/.test(value)) {
    const statuses = value.split(',').map((one) => (one.includes('-') ? one : Number(one)))
    return fromLine(last.place, { statuses })
  }
  if (kind === 'string') return fromLine(last.place, { statuses: ['100-599'], body: value })
  report.leaveOut(last.place, textOf(last), 'an answer is judged by status or by a string in its body')
  return byDefault('HAProxy', { statuses: ['200-399'] }, '2xx and 3xx are good')
}

function probeOf(section: Section, report: Report): TreeObject {
  const option = section.get('option', 'httpchk')
  const sends = section.own('http-check', 'send')
  const expects = section.own('http-check', 'expect')
  if (option === undefined) {
    const other = [
      'ssl-hello-chk',
      'mysql-check',
      'smtpchk',
      'redis-check',
      'pgsql-check',
      'tcp-check',
      'external-check',
      'ldap-check',
    ]
      .map((name) => section.get('option', name))
      .find((line) => line !== undefined)
    if (other !== undefined) report.leaveOut(other.place, textOf(other), 'backends are only connected to')
    return { type: byDefault('HAProxy', 'tcp', 'without option httpchk, a check is a connection') }
  }
  const [, , first, second] = option.words
  const request: Request = {
    method: second === undefined ? 'OPTIONS' : first!,
    path: second ?? first ?? '/',
    headers: {},
  }
  for (const line of sends) {
    const unknown = readSend(line, request)
    if (unknown !== undefined) report.leaveOut(line.place, textOf(line), `there is no counterpart of ${unknown}`)
  }
  return {
    method: fromLine(option.place, request.method!, textOf(option)),
    path: request.path!,
    host: request.host,
    headers: Object.keys(request.headers).length === 0 ? undefined : request.headers,
    expect: expectOf(expects, report),
  }
}

/** Settings of checks are those of a balancer here; a server with others is reported. */
function reportOthers(servers: readonly Server[], first: Server, report: Report): void {
  for (const { line, settings } of servers) {
    if (!settings.has('check'))
      report.leaveOut(line.place, textOf(line), 'it has no check; here all backends of a balancer are checked')
    const other = ['inter', 'fastinter', 'downinter', 'rise', 'fall', 'port'].find(
      (name) => settings.has('check') && settings.get(name) !== first.settings.get(name),
    )
    if (other !== undefined)
      report.leaveOut(
        line.place,
        textOf(line),
        `${other} is one for all backends of a balancer: that of line ${first.line.place.line}`,
      )
  }
}

/** `check` with its parameters, and the request of `option httpchk`. */
export function healthCheckOf(section: Section, servers: readonly Server[], report: Report): Tree {
  const first = servers.find(({ settings }) => settings.has('check'))
  if (first === undefined) return byDefault('HAProxy', false, 'servers without check are not checked')
  reportOthers(servers, first, report)
  const timeout = section.get('timeout', 'check')
  const interval = numberOf(first, 'inter') ?? 2000
  return new Sourced(
    {
      ...probeOf(section, report),
      port: numberOf(first, 'port'),
      interval,
      timeout:
        timeout === undefined
          ? byDefault('HAProxy', interval, 'as inter')
          : fromLine(timeout.place, durationOf(timeout.words[2] ?? '', 'ms') ?? interval),
      rise: numberOf(first, 'rise') ?? 2,
      fall: numberOf(first, 'fall') ?? 3,
      fastInterval: numberOf(first, 'fastinter') ?? interval,
      downInterval: numberOf(first, 'downinter'),
      jitter: byDefault('HAProxy', 0, 'spread-checks 0'),
      outliers: byDefault('HAProxy', noOutliers, 'only checks take servers out'),
      pressure: { heed: false },
    },
    `check (inter 2s rise 2 fall 3 unless given): ${first.line.place.file}:${first.line.place.line}`,
  )
}

import { readAddress } from '@fastify-balancer/option-schema'
import { backendUrl } from '../result/backend-url.ts'
import { durationOf } from '../result/durations.ts'
import { fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { textOf, type Line } from './lines.ts'

/** A `server` line with what `default-server` adds: parameters by name, in milliseconds where they are times. */
export interface Server {
  readonly line: Line
  readonly name: string
  readonly authority: string
  readonly settings: ReadonlyMap<string, string>
}

const withValue = new Set(
  'weight maxconn inter fastinter downinter rise fall cookie port verify ca-file crt sni verifyhost alpn check-sni'.split(
    ' ',
  ),
)
const plain = new Set(
  'check no-check backup no-backup disabled enabled ssl no-ssl check-ssl send-proxy send-proxy-v2'.split(' '),
)
const reasons: Readonly<Record<string, string>> = {
  observe: 'failures of requests take no backend out; see `circuitBreaker`',
  slowstart: 'see `slowStart`, which is for all backends of a balancer',
  track: 'each balancer checks its own backends',
  'agent-check': 'there are no agents',
  minconn: 'the limit of a backend does not move',
  maxqueue: 'see `queue.max`, which is for all backends of a balancer',
}
const valueless = new Set(['agent-check', 'non-stick', 'tfo', 'allow-0rtt', 'check-send-proxy'])
const withoutEffect = new Set(['resolvers', 'resolve-prefer', 'init-addr', 'on-marked-down', 'id', 'pool-max-conn'])

/** Opposites: the later one counts. */
const opposite: Readonly<Record<string, string>> = {
  'no-check': 'check',
  'no-backup': 'backup',
  'no-ssl': 'ssl',
  enabled: 'disabled',
}

function readSettings(line: Line, words: readonly string[], settings: Map<string, string>, report: Report): void {
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    if (plain.has(word)) {
      if (opposite[word] === undefined) settings.set(word, '')
      else settings.delete(opposite[word])
    } else if (withValue.has(word)) settings.set(word, words[++index] ?? '')
    else {
      const value = valueless.has(word) ? undefined : words[++index]
      const shown = value === undefined ? word : `${word} ${value}`
      if (withoutEffect.has(word)) report.notNeeded(line.place, textOf(line), `${shown} has no effect here`)
      else report.leaveOut(line.place, textOf(line), `${shown}: ${reasons[word] ?? 'there is no counterpart'}`)
    }
  }
}

/** Reads a `server` line; undefined, and reported, if it gets no requests here. */
export function serverOf(line: Line, defaults: readonly Line[], report: Report): Server | undefined {
  const [, name = '', address = '', ...words] = line.words
  const settings = new Map<string, string>()
  for (const one of defaults) readSettings(one, one.words.slice(1), settings, report)
  readSettings(line, words, settings, report)
  const authority = address.replace(/^(?:ipv[46]|tcp)@/, '').replace(/^(?:unix@)?(?=\/)/, 'unix:')
  const isSocket = authority.startsWith('unix:')
  if ('fault' in readAddress(backendUrl(authority, 'http')) || !(isSocket || /:\d+$/.test(authority))) {
    report.leaveOut(line.place, textOf(line), 'a backend needs a host and a port, or the whole path of a Unix socket')
    return undefined
  }
  if (settings.has('disabled')) {
    report.notNeeded(line.place, textOf(line), 'it is disabled, so it is not among the backends')
    return undefined
  }
  if (settings.get('weight') === '0') {
    report.leaveOut(
      line.place,
      textOf(line),
      'the least weight is 1; without new requests it is not among the backends',
    )
    return undefined
  }
  return { line, name, authority, settings }
}

/** A number of the settings, or a time in ms. */
export function numberOf({ settings }: Server, name: string): number | undefined {
  const text = settings.get(name)
  return text === undefined ? undefined : durationOf(text, 'ms')
}

/** The backend of our file; `priority` is 0 unless it is a backup. */
export function backendOf(server: Server, priority: number): Tree {
  const { line, name, authority, settings } = server
  const weight = numberOf(server, 'weight') ?? 1
  const most = numberOf(server, 'maxconn') ?? 0
  return fromLine(line.place, {
    url: backendUrl(authority, settings.has('ssl') ? 'https' : 'http'),
    id: name,
    weight: weight === 1 ? undefined : weight,
    priority: priority === 0 ? undefined : priority,
    maxInFlight: most === 0 ? undefined : most,
    proxyProtocol: settings.has('send-proxy-v2') ? 'v2' : settings.has('send-proxy') ? 'v1' : undefined,
  })
}

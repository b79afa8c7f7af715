import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromLine, type Tree } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import type { Folders } from './folders.ts'
import { textOf, type Line } from './lines.ts'
import type { Section } from './section.ts'

/** One address of a `bind`. */
export interface Bind {
  readonly line: Line
  readonly host: string
  readonly port: number
  readonly path: string | undefined
  readonly certificate: string | undefined
  readonly isHttp2: boolean
}

const withoutEffect = new Set([
  'name',
  'maxconn',
  'backlog',
  'interface',
  'id',
  'process',
  'thread',
  'nice',
  'user',
  'group',
  'mode',
])
const switches = new Set([
  'ssl',
  'v4v6',
  'v6only',
  'transparent',
  'tfo',
  'defer-accept',
  'allow-0rtt',
  'accept-proxy',
  'strict-sni',
  'no-sslv3',
  'no-tlsv10',
  'no-tlsv11',
  'no-tls-tickets',
])
const implied = new Set(['ssl', 'v4v6', 'tfo', 'defer-accept', 'no-sslv3', 'no-tlsv10', 'no-tlsv11', 'no-tls-tickets'])

function addressOf(text: string): Pick<Bind, 'host' | 'port' | 'path'> | undefined {
  const bare = text.replace(/^(?:ipv4|ipv6)@/, '')
  if (/^(?:unix@)?\//.test(bare)) return { host: '', port: 0, path: bare.replace(/^unix@/, '') }
  const [, host = '', port] = /^(.*):(\d+)$/.exec(bare) ?? []
  if (port === undefined) return undefined
  return {
    host: host === '' || host === '*' ? '0.0.0.0' : host.replaceAll(/[[\]]/g, ''),
    port: Number(port),
    path: undefined,
  }
}

/** Not a folder of certificates; a file that is not there is one that was written elsewhere. */
function isOneFile(named: string | undefined, path: string | undefined): boolean {
  if (named === undefined || path === undefined || named.endsWith('/')) return false
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true
}

function bindsOf(line: Line, { crt }: Folders, report: Report): readonly Bind[] {
  const [, addresses = '', ...words] = line.words
  const given = new Map<string, string>()
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    const value = switches.has(word) ? '' : (words[++index] ?? '')
    if (given.has(word) && word === 'crt')
      report.leaveOut(line.place, textOf(line), `crt ${value}: a listener has one certificate`)
    else given.set(word, value)
    if (word === 'verify') continue
    if (withoutEffect.has(word)) report.notNeeded(line.place, textOf(line), `${word} is about sockets`)
    else if (!implied.has(word) && word !== 'crt' && word !== 'alpn')
      report.leaveOut(line.place, textOf(line), `there is no counterpart of ${word}`)
  }
  // Backends would get requests that HAProxy keeps from them: of clients without a certificate.
  if ((given.get('verify') ?? 'none') !== 'none') {
    report.leaveOut(line.place, textOf(line), 'certificates of clients are not checked; it is not opened')
    return []
  }
  const named = given.has('ssl') ? given.get('crt') : undefined
  const certificate = named === undefined ? undefined : resolve(crt, named)
  if (given.has('ssl') && !isOneFile(named, certificate)) {
    report.leaveOut(line.place, textOf(line), 'a listener has one certificate, of one file; it is not opened')
    return []
  }
  return addresses.split(',').flatMap((text) => {
    const address = addressOf(text)
    if (address !== undefined)
      return [{ ...address, line, certificate, isHttp2: given.get('alpn')?.split(',').includes('h2') === true }]
    report.leaveOut(line.place, textOf(line), `${text}: a listener has one port`)
    return []
  })
}

/** Is plain HTTP only there to send clients to HTTPS? */
function redirectsToHttps(section: Section): boolean {
  const redirects = [...section.peek('http-request', 'redirect'), ...section.peek('redirect')]
  return redirects.some(({ words }) => words.join(' ').includes('scheme https'))
}

/** Where a frontend listens. Where it only redirects, nothing is opened: requests would be served in plain text. */
export function bindsOfFrontend(section: Section, folders: Folders, report: Report): readonly Bind[] {
  const binds = section.own('bind').flatMap((line) => bindsOf(line, folders, report))
  if (!redirectsToHttps(section)) return binds
  for (const { line } of binds.filter(({ certificate }) => certificate === undefined))
    report.leaveOut(line.place, textOf(line), 'it only redirects to https, which is not done here; it is not opened')
  return binds.filter(({ certificate }) => certificate !== undefined)
}

/** The listener of our file. A certificate's file holds the key too. */
export function listenerOf({ line, host, port, path, certificate, isHttp2 }: Bind): Tree {
  return fromLine(line.place, {
    ...(path === undefined ? { port, host } : { path }),
    tls: certificate === undefined ? undefined : { cert: certificate, key: certificate },
    http2: isHttp2 && certificate !== undefined ? true : undefined,
  })
}

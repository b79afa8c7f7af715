import { fromLine, type Tree } from '../result/draft.ts'
import type { Place, Report } from '../result/report.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import type { Scope } from './scope.ts'

/** One `listen`. */
export interface Listen {
  readonly host: string
  readonly port: number
  /** Of a Unix socket, instead of host and port. */
  readonly path: string | undefined
  readonly isTls: boolean
  readonly isHttp2: boolean
  readonly isDefault: boolean
  readonly directive: Directive
}

const withoutEffect =
  /^(?:backlog|rcvbuf|sndbuf|accept_filter|setfib|fastopen|so_keepalive)=|^(?:deferred|bind|reuseport)$/
const known = new Set(['ssl', 'http2', 'default_server', 'default'])

function addressOf(text: string): Pick<Listen, 'host' | 'port' | 'path'> | undefined {
  if (text.startsWith('unix:')) return { host: '', port: 0, path: text.slice('unix:'.length) }
  if (/^\d+$/.test(text)) return { host: '0.0.0.0', port: Number(text), path: undefined }
  const [, host, port = '80'] = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?$/.exec(text) ?? []
  if (host === undefined) return undefined
  return { host: host === '*' ? '0.0.0.0' : host.replaceAll(/[[\]]/g, ''), port: Number(port), path: undefined }
}

function listenOf(directive: Directive, server: Pick<Listen, 'isTls' | 'isHttp2'>, report: Report): Listen | undefined {
  const [text = '', ...options] = directive.args
  const address = addressOf(text)
  if (address === undefined) {
    report.leaveOut(directive.place, textOf(directive), 'this address cannot be read')
    return undefined
  }
  for (const option of options) {
    if (known.has(option) || option.startsWith('ipv6only=')) continue
    if (withoutEffect.test(option)) report.notNeeded(directive.place, textOf(directive), `${option} is about sockets`)
    else report.leaveOut(directive.place, textOf(directive), `there is no counterpart of ${option}`)
  }
  const isTls = server.isTls || options.includes('ssl')
  if (options.includes('http2') && !isTls)
    report.leaveOut(directive.place, textOf(directive), 'HTTP/2 is spoken over TLS only')
  return {
    ...address,
    isTls,
    isHttp2: server.isHttp2 || options.includes('http2'),
    isDefault: options.includes('default_server') || options.includes('default'),
    directive,
  }
}

/** Where a server listens: on port 80 if it does not say so. */
export function listensOf(scope: Scope, server: Directive, report: Report): readonly Listen[] {
  const isOn = (name: string) => scope.get(name)?.args[0] === 'on'
  const settings = { isTls: isOn('ssl'), isHttp2: isOn('http2') }
  const given = scope.own('listen')
  if (given.length === 0) return [{ ...addressOf('80')!, ...settings, isDefault: false, directive: server }]
  return given.map((one) => listenOf(one, settings, report)).filter((one) => one !== undefined)
}

/** What two servers share if they listen at the same place; any address is one, whichever version of IP. */
export function placeOf({ host, port, path }: Listen): string {
  return path ?? `${host === '::' ? '0.0.0.0' : host}:${port}`
}

/** The certificate of a server, with the lines it is from. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly place: Place
}

/** The first certificate of a server; more of them are for other kinds of keys. */
export function certificateOf(scope: Scope, report: Report): Certificate | undefined {
  const [certs, keys] = [scope.all('ssl_certificate'), scope.all('ssl_certificate_key')]
  for (const more of [...certs.slice(1), ...keys.slice(1)])
    report.leaveOut(more.place, textOf(more), 'a listener has one certificate')
  const [cert, key] = [certs[0]?.args[0], keys[0]?.args[0]]
  return cert === undefined || key === undefined ? undefined : { cert, key, place: certs[0]!.place }
}

/** The listener of our file for all that listen at one place. */
export function listenerOf(listens: readonly Listen[], certificate: Certificate | undefined): Tree {
  const [{ host, port, path, directive }] = listens as [Listen]
  const isDual = listens.some((one) => one.host === '::')
  return fromLine(directive.place, {
    ...(path === undefined ? { port, host: isDual ? '::' : host } : { path }),
    tls: certificate && fromLine(certificate.place, { cert: certificate.cert, key: certificate.key }),
    http2: listens.some(({ isHttp2, isTls }) => isHttp2 && isTls) ? true : undefined,
  })
}

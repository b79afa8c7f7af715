import { connect as connectPlain, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Backend } from '@fastify-balancer/balancer-core'
import type { Probing } from './probing.ts'

/** Opens a connection for one probe, and calls back when it is ready; failures are reported to `probing`. */
export type Connect = (backend: Backend, probing: Probing, onConnected: (socket: Socket) => void) => void

/** The address of a probe. */
export interface Address {
  readonly url: URL
  readonly isSecure: boolean
  /** The port, also if the URL omits it. */
  readonly port: number
  /** The path of a Unix socket, in place of host and port. */
  readonly socketPath: string | undefined
  /** What is written before the path of a request. */
  readonly shown: string
}

/** The address of a probe: the backend's own, or `another` port of its host, which is this machine for a Unix socket. */
export function addressOf({ origin, socketPath: own }: Backend, another: number | undefined): Address {
  const url = new URL(origin)
  if (another !== undefined) url.port = String(another)
  const isSecure = url.protocol === 'https:'
  const socketPath = another === undefined ? own : undefined
  const shown = socketPath === undefined ? url.origin : `${isSecure ? 'https://' : ''}unix:${socketPath}:`
  return { url, isSecure, port: Number(url.port) || (isSecure ? 443 : 80), socketPath, shown }
}

/**
 * Connects like traffic (protocol, TLS, names), but with a new connection for each probe, so that accepting connections
 * is checked too. `always`: whatever the protocol of traffic is.
 */
export function connector(anotherPort?: number, always?: 'http2'): Connect {
  return (backend, probing, onConnected) => {
    const { isSecure, port, socketPath: path } = addressOf(backend, anotherPort)
    const { hostname: host, lookup } = backend
    const isHttp2 = isSecure && (always ?? backend.protocol) === 'http2'
    // Names are looked up as for traffic; otherwise each probe would block a thread of the process.
    const place = path === undefined ? { host, port, ...(lookup !== undefined && { lookup }) } : { path, host }
    probing.awaits = 'connection'
    const { localHeader } = backend
    const below = isSecure && localHeader === undefined ? undefined : connectPlain({ ...place, noDelay: true })
    // The first bytes of a connection; a server that expects them takes no other.
    if (localHeader !== undefined) below!.write(localHeader)
    const socket = isSecure ? backend.tls.connect(place, [isHttp2 ? 'h2' : 'http/1.1'], below) : below!
    probing.closeBy(() => {
      socket.destroy()
      below?.destroy()
    })
    // These listeners stay: errors after the end are irrelevant, but must not crash the process.
    socket.on('error', (error) => probing.failed(error, '', backend.tls.presentedIn(error)))
    if (below !== socket) below?.on('error', (error) => probing.failed(error))
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      if (isHttp2 && (socket as TLSSocket).alpnProtocol !== 'h2') {
        return probing.bad('the backend does not speak HTTP/2')
      }
      probing.connected()
      try {
        onConnected(socket)
      } catch (error) {
        // Nobody would catch an error here: a header that HTTP/2 does not allow would crash the process.
        probing.failed(error)
      }
    })
  }
}

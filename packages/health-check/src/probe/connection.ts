import { connect as connectPlain, isIP, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { Balancer, Backend } from '@fastify-balancer/balancer-core'
import type { Probing } from './probing.ts'

/** Connection settings: the balancer's own options. */
export type ConnectionSettings = Pick<Balancer['options']['pool'], 'tls'>

/** Opens a connection for one probe, and calls back when it is ready; failures are reported to `probing`. */
export type Connect = (backend: Backend, probing: Probing, onConnected: (socket: Socket) => void) => void

/** The address of a probe. */
export interface Address {
  readonly url: URL
  readonly isSecure: boolean
  /** The port, also if the URL omits it. */
  readonly port: number
}

/** The address of a probe: the backend's own, or `another` port of it. */
export function addressOf(backend: Backend, another: number | undefined): Address {
  const url = new URL(backend.url)
  if (another !== undefined) url.port = String(another)
  const isSecure = url.protocol === 'https:'
  return { url, isSecure, port: Number(url.port) || (isSecure ? 443 : 80) }
}

/**
 * Connects like traffic (protocol, TLS, names), but with a new connection for each probe, so that accepting connections
 * is checked too.
 */
export function connector({ tls }: ConnectionSettings, anotherPort?: number): Connect {
  const secure = secureConnector({ tls })
  return (backend, probing, onConnected) => {
    const { isSecure, port } = addressOf(backend, anotherPort)
    const { hostname: host, lookup, protocol } = backend
    // Names are looked up as for traffic; otherwise each probe would block a thread of the process.
    const place = { host, port, ...(lookup !== undefined && { lookup }) }
    probing.awaits = 'connection'
    const socket = isSecure ? secure(place, protocol) : connectPlain({ ...place, noDelay: true })
    probing.closeBy(() => socket.destroy())
    // This listener stays: errors after the end are irrelevant, but must not crash the process.
    socket.on('error', (error) => probing.failed(error))
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      if (protocol === 'http2' && (socket as TLSSocket).alpnProtocol !== 'h2') {
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

function secureConnector({ tls }: ConnectionSettings) {
  const options = tls as ConnectionOptions
  let secureContext: SecureContext | undefined
  return (place: { host: string; port: number }, protocol: Backend['protocol']) => {
    // Parsing keys and certificates takes longer than the rest of a probe, so it is done once.
    secureContext ??= options.secureContext ?? createSecureContext(options)
    // An IP address must not be sent as a server name (RFC 6066 §3); Node still verifies it.
    const servername = options.servername ?? (isIP(place.host) === 0 ? place.host : '')
    const ALPNProtocols = protocol === 'http2' ? ['h2'] : ['http/1.1']
    return connectTls({ ...options, ...place, secureContext, servername, ALPNProtocols })
  }
}

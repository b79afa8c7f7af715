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

/** What connections to backends are like: the balancer's own options. */
export type ConnectionSettings = Pick<Balancer['options']['pool'], 'protocol' | 'tls'>

/** Opens a connection for one probe, and calls back when it can be used; a failure is told to `probing`. */
export type Connect = (backend: Backend, probing: Probing, onConnected: (socket: Socket) => void) => void

/** Where a probe goes. */
export interface Address {
  readonly url: URL
  readonly isSecure: boolean
  /** Also where the URL leaves it out. */
  readonly port: number
}

/** Where a probe of this backend goes: its own address, or `another` port of it. */
export function addressOf(backend: Backend, another: number | undefined): Address {
  const url = new URL(backend.url)
  if (another !== undefined) url.port = String(another)
  const isSecure = url.protocol === 'https:'
  return { url, isSecure, port: Number(url.port) || (isSecure ? 443 : 80) }
}

/**
 * Connects as traffic does (protocol, TLS, names), but anew each time and for one probe only: that the backend still
 * accepts connections is part of the question.
 */
export function connector({ protocol, tls }: ConnectionSettings, anotherPort?: number): Connect {
  const secure = secureConnector({ protocol, tls })
  return (backend, probing, onConnected) => {
    const { isSecure, port } = addressOf(backend, anotherPort)
    const { hostname: host, lookup } = backend
    // Names are looked up as for traffic; without this, each probe would keep a thread of the process waiting.
    const place = { host, port, ...(lookup !== undefined && { lookup }) }
    probing.awaits = 'connection'
    const socket = isSecure ? secure(place) : connectPlain({ ...place, noDelay: true })
    probing.closeBy(() => socket.destroy())
    // It stays: what goes wrong after the end is of no interest, but must not end the process.
    socket.on('error', (error) => probing.failed(error))
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      if (protocol === 'http2' && (socket as TLSSocket).alpnProtocol !== 'h2') {
        return probing.bad('the backend does not speak HTTP/2')
      }
      probing.connected()
      try {
        onConnected(socket)
      } catch (error) {
        // Nobody is above us here: a header that HTTP/2 does not allow would end the process.
        probing.failed(error)
      }
    })
  }
}

function secureConnector({ protocol, tls }: ConnectionSettings) {
  const options = tls as ConnectionOptions
  let secureContext: SecureContext | undefined
  return (place: { host: string; port: number }) => {
    // Reading keys and certificates takes longer than all the rest of a probe: once is enough.
    secureContext ??= options.secureContext ?? createSecureContext(options)
    // An IP address must not be sent as a server name (RFC 6066 §3); Node verifies it all the same.
    const servername = options.servername ?? (isIP(place.host) === 0 ? place.host : '')
    const ALPNProtocols = protocol === 'http2' ? ['h2'] : ['http/1.1']
    return connectTls({ ...options, ...place, secureContext, servername, ALPNProtocols })
  }
}

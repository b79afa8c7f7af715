import { Server, type RequestListener } from 'node:http'
import type { Http2Server, ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { SecureContextOptions, Server as TlsServer, TLSSocket } from 'node:tls'
import { appear } from './connection/appearance.ts'
import { Arrival, type ArrivalOwner } from './connection/arrival.ts'
import { FaultLog } from './connection/fault-log.ts'
import type { Protocol } from './connection/protocol.ts'
import type { Ends } from './header/ends.ts'
import { isHeader } from './header/read-header.ts'
import { openHttp2, openTls, tlsOptionsOf, type ServerSettings } from './inner-servers.ts'
import type { ParsedOptions } from './options.ts'
import { Peers } from './peers.ts'

/** Node's limit for the head of a request (ms), for an app that has turned it off. */
const headTime = 60_000

/** No public property says which connection is below one of TLS. */
type Wrapping = TLSSocket & { readonly _parent?: Socket }

type ClientError = Error & { readonly rawPacket?: Buffer }

/**
 * An HTTP/1.1 server whose connections may begin with a header of the PROXY protocol. Those that speak TLS, it lets
 * another server decrypt; those that speak HTTP/2, it hands to a server of that. So there is one port, and one server to
 * close. Its event `connection` comes once the header has been read, and the socket has the client's address.
 */
export class ProxyProtocolServer extends Server implements ArrivalOwner {
  readonly #timeout: number
  readonly #peers: Peers
  readonly #faults: FaultLog
  readonly #tls: TlsServer | undefined
  readonly #http2: Http2Server | undefined
  readonly #sessions = new Set<ServerHttp2Session>()
  /** Every connection; and those that no server of HTTP has yet. */
  readonly #sockets = new Set<Socket>()
  readonly #arriving = new Set<Socket>()
  /** Those that a server of HTTP has got. */
  readonly #served = new WeakSet<Socket>()
  /** Connections that began with a header, and what it said. */
  readonly #headers = new WeakMap<Socket, Ends | undefined>()

  constructor({ from, timeout }: ParsedOptions, settings: ServerSettings, handler: RequestListener) {
    const tls = tlsOptionsOf(settings)
    super({ ...settings.http, ...tls }, handler)
    this.#timeout = timeout
    this.#peers = new Peers(from)
    this.#faults = new FaultLog(settings.logger)
    if (settings.http2 === true) this.#http2 = openHttp2(settings, handler, this.#sessions)
    if (tls !== undefined) {
      this.#tls = openTls(tls, settings)
      this.#tls.on('secureConnection', (socket: Wrapping) => this.#onDecrypted(socket))
      this.#tls.on('tlsClientError', (error, socket) => {
        if (!this.emit('clientError', error, socket)) socket.destroy(error)
      })
    }
  }

  /** Servers that get some of its connections, for who has to prepare each server of an app. */
  get innerServers(): readonly Http2Server[] {
    return this.#http2 === undefined ? [] : [this.#http2]
  }

  /** Time limits (ms) for the header, and for the first byte after it. */
  get limits(): ArrivalOwner['limits'] {
    return { header: this.#timeout, first: this.headersTimeout || headTime }
  }

  /** Connections that begin from now on get this certificate: as `tls.Server` has it. */
  setSecureContext(options: SecureContextOptions): void {
    this.#tls?.setSecureContext(options)
  }

  override emit(event: string | symbol, ...details: unknown[]): boolean {
    if (event === 'connection') {
      this.#take(details[0] as Socket)
      return true
    }
    if (event === 'clientError') this.#onClientError(details[0] as ClientError, details[1] as Socket)
    return this.#tell(event, ...details)
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections()
    for (const socket of this.#arriving) socket.destroy()
    for (const session of this.#sessions) session.close()
  }

  override closeAllConnections(): void {
    super.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
  }

  onArrived(socket: Socket, protocol: Protocol, header: { readonly ends: Ends | undefined } | undefined): void {
    if (header !== undefined) this.#headers.set(socket, header.ends)
    const isHttp2 = protocol === 'http2' && this.#http2 !== undefined
    const isTls = protocol === 'tls' && this.#tls !== undefined
    // As with Node's own servers: only HTTP/1.1 closes its end itself, when the client has closed the other.
    if (isHttp2 || isTls) socket.allowHalfOpen = false
    if (isTls) {
      this.#tls.emit('connection', socket)
      return
    }
    this.#arriving.delete(socket)
    this.#serve(socket, isHttp2)
  }

  onFault({ remoteAddress }: Socket, fault: string): void {
    this.#faults.add(remoteAddress, fault)
  }

  /** Node has accepted a connection. */
  #take(socket: Socket): void {
    // It comes back: its next request is to be parsed again (by who undoes an upgrade). There is no second header.
    if (this.#served.has(socket)) return void this.#tell('connection', socket)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#arriving.delete(socket)
    })
    const isUnix = typeof this.address() === 'string'
    // It was reset before it was accepted: checks of HAProxy do that. Nobody knows any more whose it was.
    if (!isUnix && socket.remoteAddress === undefined) return void socket.destroy()
    const needsHeader = this.#peers.has(socket, isUnix)
    if (!needsHeader && this.#tls === undefined && this.#http2 === undefined) return this.#serve(socket, false)
    this.#arriving.add(socket)
    new Arrival(socket, needsHeader, this).begin()
  }

  #onDecrypted(socket: Wrapping): void {
    const { _parent: below } = socket
    // Never without knowing whose it is.
    if (below === undefined) return void socket.destroy()
    this.#arriving.delete(below)
    const ends = this.#headers.get(below)
    if (ends !== undefined) appear(socket, ends)
    this.#serve(socket, socket.alpnProtocol === 'h2')
  }

  #serve(socket: Socket, isHttp2: boolean): void {
    this.#served.add(socket)
    if (isHttp2 && this.#http2 !== undefined) this.#http2.emit('connection', socket)
    else this.#tell('connection', socket)
  }

  #onClientError({ rawPacket }: ClientError, socket: Socket): void {
    if (rawPacket === undefined || this.#headers.has(socket) || !isHeader(rawPacket)) return
    this.#faults.add(
      socket.remoteAddress,
      'it began with a PROXY protocol header, but `from` does not list its address',
    )
  }

  #tell(event: string | symbol, ...details: unknown[]): boolean {
    return super.emit(event as 'connection', ...(details as [Socket]))
  }
}

// Room `connections/http2`: requests to one backend over sessions of HTTP/2.
import type { Readable } from 'node:stream'
import { errors, type Dispatcher } from 'undici'
import type { ConnectionRequest, ProtocolSwitching } from '../connect.ts'
import { ContinueTrust } from '../held-body.ts'
import type { ConnectionAware, PoolCounts, RequestPool } from '../request-pool.ts'
import { afterPoll } from './after-poll.ts'
import { Http2Connection, type ConnectionOwner } from './http2-connection.ts'
import type { Http2Carrying, Http2Handler } from './http2-carrier.ts'
import { Http2Content } from './http2-content.ts'
import { Http2Error } from './http2-error.ts'
import { largestHeader, requestFields, websocket, type Origin } from './http2-fields.ts'
import { mostStreams, type ConnectionSettings } from './http2-session.ts'
import { Http2Request } from './http2-request.ts'

/** How the connections to one backend are kept. */
export interface Http2PoolSettings extends ConnectionSettings {
  /** How many at most. */
  readonly connections: number
  /** How to switch protocols where HTTP/2 cannot: over connections of HTTP/1.1. */
  readonly handshakes: ProtocolSwitching | undefined
}

/** It asks for protocols, but not for the one that has a place in HTTP/2. */
function isOpenedElsewhere({ switchTo }: ConnectionRequest): boolean {
  return switchTo !== undefined && !switchTo.split(', ').some((name) => name.toLowerCase() === websocket)
}

/**
 * The connections to one backend over HTTP/2: Node's sessions behind undici's dispatcher interface. undici's own client
 * takes every end of a stream for END_STREAM, loses data of a paused stream when trailers arrive, and lets requests
 * wait for a stream without a limit.
 */
export class Http2Pool implements RequestPool, ConnectionOwner, Http2Carrying<Http2Request> {
  readonly #settings: Http2PoolSettings
  readonly #origin: Origin
  /** Connections that take streams, or will. */
  readonly #connections = new Set<Http2Connection>()
  /** Connections that only finish their streams. */
  readonly #leaving = new Set<Http2Connection>()
  /** Requests without a connection, the longest waiting first. */
  readonly #waiting = new Set<Http2Request>()
  readonly #continueTrust = new ContinueTrust()
  #waitTimer: NodeJS.Timeout | undefined
  /** The backend's latest limit of concurrent streams. */
  #lastLimit = mostStreams
  #closing: (() => void) | undefined
  #closed: Promise<void> | undefined
  destroyed = false
  readonly maxHeaderSize: number

  constructor(settings: Http2PoolSettings) {
    this.#settings = settings
    this.maxHeaderSize = Math.min(settings.maxHeaderSize, largestHeader)
    const { protocol, host } = settings.url
    this.#origin = { scheme: protocol.slice(0, -1), authority: host }
  }

  get stats(): PoolCounts {
    const open = [...this.#connections, ...this.#leaving].filter(({ connecting }) => !connecting)
    const free = open.filter(({ requests }) => requests.size === 0).length
    const running = open.reduce((sum, { requests }) => sum + requests.size, 0)
    let allowed = 0
    for (const { connecting, limit } of this.#connections) if (!connecting) allowed += limit
    for (const { requests } of this.#leaving) allowed += requests.size
    const pending = this.#waiting.size
    return { connected: open.length, free, pending, queued: pending, running, allowed }
  }

  /** Does the backend take extended CONNECT? Undefined before it was connected to. */
  get takesConnect(): boolean | undefined {
    for (const one of this.#connections) if (!one.connecting) return one.takesConnect
    return undefined
  }

  dispatch(options: ConnectionRequest, handler: Http2Handler): boolean {
    let request: Http2Request
    try {
      request = this.#read(options, handler)
    } catch (error) {
      const refused = new errors.InvalidArgumentError((error as Error).message)
      handler.onResponseError?.(null as unknown as Dispatcher.DispatchController, refused)
      return true
    }
    if (this.destroyed) request.fail(new errors.ClientDestroyedError())
    else if (this.#closed !== undefined) request.fail(new errors.ClientClosedError())
    else if (isOpenedElsewhere(options)) this.#withoutConnect(request)
    else this.#place(request)
    return true
  }

  close(): Promise<void> {
    if (this.#closed === undefined) {
      const ended = new Promise<void>((resolve) => (this.#closing = resolve))
      this.#closed = Promise.all([ended, this.#settings.handshakes?.over()]).then(() => {})
    }
    this.#closeWhenDone()
    return this.#closed
  }

  destroy(): Promise<void> {
    if (!this.destroyed) {
      this.destroyed = true
      for (const request of this.#waiting) request.fail(new errors.ClientDestroyedError())
      for (const connection of [...this.#connections, ...this.#leaving]) {
        connection.destroy(new errors.ClientDestroyedError())
      }
      clearTimeout(this.#waitTimer)
      this.#settings.handshakes?.abort(new errors.ClientDestroyedError())
      this.#closing?.()
    }
    return Promise.resolve()
  }

  withdraw(request: Http2Request): void {
    if (this.#waiting.delete(request)) this.#closeWhenDone()
  }

  takeAgain(request: Http2Request): boolean {
    if (this.destroyed) return false
    this.#place(request)
    return true
  }

  onRoom(connection: Http2Connection): void {
    if (connection.limit !== this.#lastLimit && !connection.connecting) this.#lastLimit = connection.limit
    if (this.#waiting.size > 0) this.#serve()
    this.#closeWhenDone()
  }

  onLeaving(connection: Http2Connection): void {
    this.#connections.delete(connection)
    this.#leaving.add(connection)
    if (this.#waiting.size > 0) this.#serve()
  }

  onConnectError(_connection: Http2Connection, error: Error): void {
    // They were not sent: they can go to another backend instead of failing here again.
    for (const request of this.#waiting) request.fail(error)
  }

  onGone(connection: Http2Connection): void {
    this.#connections.delete(connection)
    this.#leaving.delete(connection)
    if (!connection.connecting && this.#waiting.size > 0) process.nextTick(() => this.#serve())
    this.#closeWhenDone()
  }

  #read(options: ConnectionRequest, handler: Http2Handler): Http2Request {
    const fields = requestFields(options, this.#origin)
    const { held, trailers } = options
    const body = (held?.body ?? options.body ?? null) as Readable | Buffer | null
    const asked = this.#continueTrust.isLost ? undefined : held
    if (asked !== undefined) fields.expect = '100-continue'
    handler.held = asked
    const content = new Http2Content(body, asked, this.#continueTrust, trailers)
    return new Http2Request(this, options, fields, content, handler)
  }

  #place(request: Http2Request): void {
    const connection = this.#waiting.size === 0 ? this.#roomiest() : undefined
    if (connection !== undefined) return this.#carry(connection, request)
    const { connectTimeout } = this.#settings
    if (connectTimeout > 0) request.deadline = this.#settings.now() + connectTimeout
    // So that it can be cancelled while it waits.
    request.handler.controller = request
    this.#waiting.add(request)
    if (connectTimeout > 0 && this.#waitTimer === undefined) this.#arm(connectTimeout)
    this.#openMore()
  }

  #carry(connection: Http2Connection, request: Http2Request): void {
    if (request.isConnect && !connection.takesConnect) this.#withoutConnect(request)
    else connection.carry(request)
  }

  /** Opens a tunnel where the backend takes none over HTTP/2. */
  #withoutConnect(request: Http2Request): void {
    const { handshakes } = this.#settings
    if (handshakes === undefined)
      request.fail(new Http2Error('ERR_HTTP2_NO_EXTENDED_CONNECT', 'the backend takes no extended CONNECT for it'))
    else handshakes.ask(request.options, request.handler as ConnectionAware)
  }

  /** Of those that take another stream, the one with the fewest. */
  #roomiest(): Http2Connection | undefined {
    let found: Http2Connection | undefined
    for (const one of this.#connections) {
      if (one.hasRoom && (found === undefined || one.requests.size < found.requests.size)) found = one
    }
    return found
  }

  #serve(): void {
    for (const request of this.#waiting) {
      const connection = this.#roomiest()
      if (connection === undefined) break
      this.#waiting.delete(request)
      this.#carry(connection, request)
    }
    if (this.#waiting.size > 0) this.#openMore()
  }

  #openMore(): void {
    if (this.destroyed) return
    // A backend that takes no streams at all must not get ever more connections.
    if (this.#lastLimit === 0 && this.#connections.size > 0) return
    let coming = 0
    for (const { connecting } of this.#connections) if (connecting) coming++
    while (this.#waiting.size > coming * this.#lastLimit && this.#connections.size < this.#settings.connections) {
      const connection = new Http2Connection(this, this.#settings)
      this.#connections.add(connection)
      connection.connect()
      coming++
      if (this.#lastLimit === 0) return
    }
  }

  #arm(delay: number): void {
    this.#waitTimer = setTimeout(afterPoll, delay, () => this.#onWaited()).unref()
  }

  /** Fails requests that have waited too long. */
  #onWaited(): void {
    this.#waitTimer = undefined
    const now = this.#settings.now()
    let hasFailed = false
    for (const request of this.#waiting) {
      if (request.deadline > now) {
        this.#arm(Math.ceil(request.deadline - now))
        break
      }
      hasFailed = true
      request.fail(new errors.ConnectTimeoutError('the backend accepted no stream in time'))
    }
    if (!hasFailed) return
    // The next connection may announce another limit.
    for (const one of this.#connections) if (!one.connecting && one.limit === 0 && one.requests.size === 0) one.end()
  }

  #closeWhenDone(): void {
    if (this.#closing === undefined || this.#waiting.size > 0) return
    const all = [...this.#connections, ...this.#leaving]
    if (all.some(({ requests }) => requests.size > 0)) return
    const closing = this.#closing
    this.#closing = undefined
    for (const connection of all) connection.end()
    closing()
  }
}

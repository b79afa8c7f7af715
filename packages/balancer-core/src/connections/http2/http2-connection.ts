import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders, Settings } from 'node:http2'
import { Socket } from 'node:net'
import { errors } from 'undici'
import { Http2Error } from './http2-error.ts'
import type { Http2Carrier, StreamOptions } from './http2-carrier.ts'
import type { Http2Request } from './http2-request.ts'
import { Http2Usage } from './http2-usage.ts'
import { beginSession, mostStreams, type ConnectionSettings } from './http2-session.ts'
import { afterPoll } from './after-poll.ts'
import { PingWatch } from './ping-watch.ts'
import { unwatchStreamEnds, watchStreamEnds } from './stream-end.ts'

/** How long a connection may be silent before it counts as doubtful (ms). */
const longestSilence = 1000

/** Owner of the connection. */
export interface ConnectionOwner {
  /** The number of streams that it can take has changed. */
  onRoom(connection: Http2Connection): void
  /** It takes no more streams; those in progress go on. */
  onLeaving(connection: Http2Connection): void
  /** It failed before it could take a stream. */
  onConnectError(connection: Http2Connection, error: Error): void
  onGone(connection: Http2Connection): void
}

/** One HTTP/2 session, from the look-up of its name to its last stream. */
export class Http2Connection implements Http2Carrier<Http2Request> {
  fresh = true
  readonly written = true
  /** SETTINGS have not arrived yet. */
  connecting = true
  /** How many concurrent streams the backend allows. */
  limit = 0
  /** The backend takes extended CONNECT (RFC 8441 §3). */
  takesConnect = false
  readonly requests = new Set<Http2Request>()
  readonly #owner: ConnectionOwner
  readonly #settings: ConnectionSettings
  #session: ClientHttp2Session | undefined
  #socket: Socket | undefined
  /** Until it is connected. */
  #opening: unknown
  #error: Error | undefined
  #isLeaving = false
  #isGone = false
  #connectTimer: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #idleSince = 0
  #ageTimer: NodeJS.Timeout | undefined
  #pings: PingWatch | undefined
  readonly #usage = new Http2Usage()

  constructor(owner: ConnectionOwner, settings: ConnectionSettings) {
    this.#owner = owner
    this.#settings = settings
  }

  get roundTrip(): number {
    return this.#usage.roundTrip
  }

  // It carries other requests too: an error of one concerns its stream only.
  requestBegins(): void {}
  responseEnded(): void {}
  bindTo(): void {}
  abandon(): void {}

  connect(): void {
    const { url, connectTimeout } = this.#settings
    if (connectTimeout > 0) {
      this.#connectTimer = setTimeout(afterPoll, connectTimeout, () => {
        this.#fail(new errors.ConnectTimeoutError('the backend did not begin to speak HTTP/2 in time'))
      }).unref()
    }
    const hostname = url.hostname.replace(/^\[|\]$/g, '')
    const { host, protocol, port } = url
    try {
      // undici's types do not say that it returns the socket.
      this.#opening = this.#settings.connectorFor(this)({ host, hostname, protocol, port }, (...[error, socket]) => {
        if (error !== null) this.#fail(error)
        else if (this.#isGone) socket.destroy()
        else this.#begin(socket)
      })
    } catch (error) {
      process.nextTick(() => this.#fail(error as Error))
    }
  }

  /** True if it can take another stream now. */
  get hasRoom(): boolean {
    if (this.connecting || this.#isLeaving || this.requests.size >= this.limit) return false
    return !this.#session!.closed && !this.#session!.destroyed
  }

  get failure(): Error | undefined {
    if (this.#session === undefined || !(this.#session.destroyed || this.#isGone)) return undefined
    if (this.#usage.isStale(this.#settings.now(), this.#socket!.bytesRead))
      return new errors.SocketError('the backend closed the connection')
    return new Http2Error('ERR_HTTP2_SESSION_ERROR', this.#error?.message ?? 'the backend closed the connection')
  }

  /** Carries a request. */
  carry(request: Http2Request): void {
    request.carriedAt = this.#settings.now()
    request.bytesBefore = this.#socket!.bytesRead
    if (this.requests.size === 0) {
      this.#usage.wakes(request.carriedAt, request.bytesBefore)
      this.#session!.ref()
      this.#pings!.begin()
    }
    this.requests.add(request)
    request.start(this)
  }

  open(fields: OutgoingHttpHeaders, options: StreamOptions): ClientHttp2Stream {
    return this.#session!.request(fields, options)
  }

  release(request: Http2Request): void {
    if (!this.requests.delete(request)) return
    // A request was aborted and not a byte has arrived meanwhile: the connection may be dead, so it takes no more
    // requests.
    const isSilent = request.bytesBefore === this.#socket!.bytesRead
    if (isSilent && this.#settings.now() - request.carriedAt >= longestSilence) this.retire()
    if (this.requests.size === 0) this.#rest()
    this.#owner.onRoom(this)
  }

  /** Takes no more streams, and closes after the last one. */
  retire(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#owner.onLeaving(this)
    if (this.requests.size === 0) this.#rest()
  }

  /** Fails its requests with that error, and closes; if there are tunnels, after the last of them. */
  destroy(error: Error): void {
    this.#isLeaving = true
    for (const request of this.requests) request.fail(error)
    if (this.requests.size === 0) this.end()
  }

  /** Closes it; to be called when it has no streams or has failed. */
  end(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.connecting = false
    clearTimeout(this.#connectTimer)
    clearTimeout(this.#idleTimer)
    clearTimeout(this.#ageTimer)
    this.#pings?.stop()
    const session = this.#session
    const socket = this.#socket
    if (session !== undefined) unwatchStreamEnds()
    if (session?.destroyed === false) session.destroy()
    if (socket === undefined && this.#opening instanceof Socket) this.#opening.destroy()
    // Node would wait until a backend that reads nothing has read the GOAWAY.
    if (socket !== undefined) setImmediate(() => void socket.destroy())
    this.#owner.onGone(this)
  }

  /** The backend does not answer PING. */
  onSilence(): void {
    this.destroy(new Http2Error('ERR_HTTP2_SESSION_ERROR', 'the backend did not answer PING in time'))
    // Its tunnels, too.
    this.end()
  }

  #begin(socket: Socket): void {
    const since = this.#settings.now()
    const session = beginSession(this.#settings, socket)
    this.#socket = socket
    this.#session = session
    this.#pings = new PingWatch(session, socket, this.#settings, this)
    watchStreamEnds()
    session.on('error', (error) => (this.#error = error))
    session.once('remoteSettings', () => (this.#usage.roundTrip = this.#settings.now() - since))
    session.on('remoteSettings', (settings) => this.#onSettings(settings))
    session.on('goaway', (_code, lastStreamId) => this.#onGoaway(lastStreamId))
    session.on('close', () => this.#onClose())
    socket.on('error', (error) => (this.#error ??= error))
  }

  #onSettings({ maxConcurrentStreams = mostStreams, enableConnectProtocol = false }: Settings): void {
    this.limit = Math.min(maxConcurrentStreams, mostStreams)
    this.takesConnect = enableConnectProtocol
    if (this.connecting) {
      this.connecting = false
      this.#ages(this.#settings.lifetime())
      clearTimeout(this.#connectTimer)
      this.#rest()
    }
    this.#owner.onRoom(this)
  }

  #ages(lifetime: number): void {
    // Beyond 24.8 days, Node's timers would fire at once.
    if (lifetime < 2 ** 31) this.#ageTimer = setTimeout(() => this.retire(), lifetime).unref()
  }

  #onGoaway(lastStreamId: number): void {
    if (this.connecting) return this.#fail(new errors.SocketError('the backend sent GOAWAY'))
    for (const request of this.requests) if (request.id > lastStreamId) request.unseen = true
    this.retire()
  }

  #onClose(): void {
    if (this.connecting) {
      this.#fail(this.#error ?? new errors.SocketError('the backend closed the connection'))
      return
    }
    this.end()
    // By now Node has closed every stream, and each has reported its end.
    const { failure } = this
    for (const request of this.requests) request.fail(failure!)
  }

  #fail(error: Error): void {
    if (!this.connecting) return
    // If the other side does not speak HTTP/2, Node's session emits an error.
    const isForeign = (error as { code?: string }).code?.startsWith('ERR_HTTP2_') === true
    this.end()
    this.#owner.onConnectError(this, isForeign ? new errors.SocketError('the backend does not speak HTTP/2') : error)
  }

  /** It has no streams now. */
  #rest(): void {
    this.#usage.rests()
    this.#idleSince = this.#settings.now()
    if (this.#isLeaving) {
      setImmediate(() => this.end())
      return
    }
    this.#session?.unref()
    this.#idleTimer ??= setTimeout(() => this.#onIdle(), this.#settings.keepAliveTimeout).unref()
  }

  /** One timer for many idle periods: it checks whether the current one is long enough. */
  #onIdle(): void {
    this.#idleTimer = undefined
    if (this.requests.size > 0 || this.#isGone) return
    const left = this.#idleSince + this.#settings.keepAliveTimeout - this.#settings.now()
    if (left > 0) this.#idleTimer = setTimeout(() => this.#onIdle(), Math.ceil(left)).unref()
    else this.end()
  }
}

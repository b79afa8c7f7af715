import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { Socket } from 'node:net'
import { errors } from 'undici'
import { Http2Error } from './http2-error.ts'
import type { Http2Carrier } from './http2-carrier.ts'
import type { Http2Request } from './http2-request.ts'
import { beginSession, type ConnectionSettings } from './http2-session.ts'
import { afterPoll } from './after-poll.ts'
import { unwatchStreamEnds, watchStreamEnds } from './stream-end.ts'

/** Streams at once on one connection, whatever the backend would allow; as undici has it. */
export const mostStreams = 100

/**
 * How much later than one round trip we may notice that a connection has broken (ms), and the longest round trip that is
 * believed: it is measured while connecting, which a busy backend may take its time for.
 */
const noticed = 50
const longestRoundTrip = 200

/** How long a connection may be silent before it is doubted (ms). */
const longestSilence = 1000

/** Whose connection it is. */
export interface ConnectionOwner {
  /** It takes streams, or takes another number of them, or one has ended. */
  onRoom(connection: Http2Connection): void
  /** It takes no more streams; what it has, it keeps. */
  onLeaving(connection: Http2Connection): void
  /** It never came to take streams. */
  onConnectError(connection: Http2Connection, error: Error): void
  onGone(connection: Http2Connection): void
}

/** One session of HTTP/2, from the look-up of its name to its last stream. */
export class Http2Connection implements Http2Carrier<Http2Request> {
  fresh = true
  readonly written = true
  /** Its SETTINGS have not come. */
  connecting = true
  /** How many streams the backend takes at once. */
  limit = 0
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
  /** How long it took until the backend answered the first bytes. */
  #roundTrip = 0
  /** It had served requests before it was idle; when it was used again, and what it had received by then. */
  #hasCarried = false
  #hasServed = false
  #wokenAt = 0
  #bytesAtWake = -1

  constructor(owner: ConnectionOwner, settings: ConnectionSettings) {
    this.#owner = owner
    this.#settings = settings
  }

  get roundTrip(): number {
    return this.#roundTrip
  }

  // It carries others as well: what one of them does is its stream's.
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
      // undici's types do not tell that it answers the socket.
      this.#opening = this.#settings.connectorFor(this)({ host, hostname, protocol, port }, (...[error, socket]) => {
        if (error !== null) this.#fail(error)
        else if (this.#isGone) socket.destroy()
        else this.#begin(socket)
      })
    } catch (error) {
      process.nextTick(() => this.#fail(error as Error))
    }
  }

  /** It takes another stream now. */
  get hasRoom(): boolean {
    if (this.connecting || this.#isLeaving || this.requests.size >= this.limit) return false
    return !this.#session!.closed && !this.#session!.destroyed
  }

  get failure(): Error | undefined {
    if (this.#session === undefined || !(this.#session.destroyed || this.#isGone)) return undefined
    if (this.#isStale()) return new errors.SocketError('the backend closed the connection')
    return new Http2Error('ERR_HTTP2_SESSION_ERROR', this.#error?.message ?? 'the backend closed the connection')
  }

  /** Carries a request. */
  carry(request: Http2Request): void {
    request.carriedAt = this.#settings.now()
    request.bytesBefore = this.#socket!.bytesRead
    if (this.requests.size === 0) {
      this.#wokenAt = request.carriedAt
      this.#bytesAtWake = request.bytesBefore
      this.#session!.ref()
    }
    this.#hasCarried = true
    this.requests.add(request)
    request.start(this)
  }

  open(fields: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    return this.#session!.request(fields, { endStream })
  }

  release(request: Http2Request): void {
    if (!this.requests.delete(request)) return
    // Given up, and not a byte has come meanwhile: the connection may be dead, and is not to be the end of others.
    const isSilent = request.bytesBefore === this.#socket!.bytesRead
    if (isSilent && this.#settings.now() - request.carriedAt >= longestSilence) this.retire()
    if (this.requests.size === 0) this.#rest()
    this.#owner.onRoom(this)
  }

  /** It takes no more streams, and ends after its last. */
  retire(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#owner.onLeaving(this)
    if (this.requests.size === 0) this.#rest()
  }

  /** Ends what it carries with that error, and itself. */
  destroy(error: Error): void {
    this.#isLeaving = true
    for (const request of this.requests) request.fail(error)
    this.end()
  }

  /** Ends it; to be called when nothing is left on it, or when it has failed. */
  end(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.connecting = false
    clearTimeout(this.#connectTimer)
    clearTimeout(this.#idleTimer)
    const session = this.#session
    const socket = this.#socket
    if (session !== undefined) unwatchStreamEnds()
    if (session?.destroyed === false) session.destroy()
    if (socket === undefined && this.#opening instanceof Socket) this.#opening.destroy()
    // Node would wait until a backend that reads nothing has read the GOAWAY.
    if (socket !== undefined) setImmediate(() => void socket.destroy())
    this.#owner.onGone(this)
  }

  /**
   * The backend has closed it for idleness before it can have had a request: nothing came from it since, and the end came
   * within one round trip of our writing. What breaks later was broken by a backend that had it.
   */
  #isStale(): boolean {
    if (!this.#hasServed || this.#bytesAtWake !== this.#socket!.bytesRead) return false
    return this.#settings.now() - this.#wokenAt <= Math.min(this.#roundTrip, longestRoundTrip) + noticed
  }

  #begin(socket: Socket): void {
    const { url } = this.#settings
    const since = this.#settings.now()
    const session = beginSession(url, socket)
    this.#socket = socket
    this.#session = session
    watchStreamEnds()
    session.on('error', (error) => (this.#error = error))
    session.once('remoteSettings', () => (this.#roundTrip = this.#settings.now() - since))
    session.on('remoteSettings', ({ maxConcurrentStreams }) => this.#onSettings(maxConcurrentStreams ?? Infinity))
    session.on('goaway', (_code, lastStreamId) => this.#onGoaway(lastStreamId))
    session.on('close', () => this.#onClose())
    socket.on('error', (error) => (this.#error ??= error))
  }

  #onSettings(maxConcurrentStreams: number): void {
    this.limit = Math.min(maxConcurrentStreams, mostStreams)
    if (this.connecting) {
      this.connecting = false
      clearTimeout(this.#connectTimer)
      this.#rest()
    }
    this.#owner.onRoom(this)
  }

  #onGoaway(lastStreamId: number): void {
    if (this.connecting) return this.#fail(new errors.SocketError('the backend goes away'))
    for (const request of this.requests) if (request.id > lastStreamId) request.unseen = true
    this.retire()
  }

  #onClose(): void {
    if (this.connecting) {
      this.#fail(this.#error ?? new errors.SocketError('the backend closed the connection'))
      return
    }
    this.end()
    // Node has closed every stream by now, and each has told.
    const { failure } = this
    for (const request of this.requests) request.fail(failure!)
  }

  #fail(error: Error): void {
    if (!this.connecting) return
    // What is no HTTP/2 shows as an error of Node's session.
    const isForeign = (error as { code?: string }).code?.startsWith('ERR_HTTP2_') === true
    this.end()
    this.#owner.onConnectError(this, isForeign ? new errors.SocketError('the backend does not speak HTTP/2') : error)
  }

  /** Nothing is on it now. */
  #rest(): void {
    this.#hasServed = this.#hasCarried
    this.#idleSince = this.#settings.now()
    if (this.#isLeaving) {
      setImmediate(() => this.end())
      return
    }
    this.#session?.unref()
    this.#idleTimer ??= setTimeout(() => this.#onIdle(), this.#settings.keepAliveTimeout).unref()
  }

  /** One timer for many times of rest: it looks whether this one has lasted. */
  #onIdle(): void {
    this.#idleTimer = undefined
    if (this.requests.size > 0 || this.#isGone) return
    const left = this.#idleSince + this.#settings.keepAliveTimeout - this.#settings.now()
    if (left > 0) this.#idleTimer = setTimeout(() => this.#onIdle(), Math.ceil(left)).unref()
    else this.end()
  }
}

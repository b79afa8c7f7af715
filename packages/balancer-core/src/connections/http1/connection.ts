import type { Socket } from 'node:net'
import { Client, type buildConnector, type Dispatcher } from 'undici'
import type { Connect, ConnectionRequest, ConnectorOf } from '../connect.ts'
import type { ContinueTrust } from '../held-body.ts'
import { HeldUpload } from '../held-upload.ts'
import type { CarryingConnection, ConnectionAware } from '../request-pool.ts'
import { TrailerSection, type TrailerSource } from '../trailer-section.ts'
import { Wire, type WireOwner } from './wire.ts'

/** Kinds of responses without a body; some servers send one anyway. */
export const bodiless = { none: 0, head: 1, noContent: 2, notModified: 4 } as const

/** Owner of connections: told of everything that happens to one. */
export interface ConnectionOwner {
  readonly connectorOf: ConnectorOf
  readonly options: Client.Options
  roundTrip: number
  /** How long a new connection is used, in ms; Infinity without a limit. */
  readonly lifetime: () => number
  /** Its request has succeeded; it will be ready, or closed, within this turn of the event loop. */
  onEnded(connection: Connection): void
  /** It is idle. */
  onDrain(connection: Connection): void
  onDisconnect(connection: Connection): void
  /** Surplus bytes followed a response of such a kind. */
  onSurplus(kind: number): void
  onAbandoned(connection: Connection): void
  onBound(connection: Connection, client: Socket): void
  /** Whether its backend answers to `Expect: 100-continue`. */
  readonly continueTrust: ContinueTrust
}

/** undici has read bytes that belong to no request. */
function isSurplus(error: Error & { code?: string }): boolean {
  return error.message === 'bad response' || error.code?.startsWith('HPE_') === true
}

/** One HTTP/1.1 connection: an undici client that carries one request at a time. */
export class Connection extends Client implements CarryingConnection, WireOwner {
  fresh = false
  connected = false
  /** It carries a request, or will in a moment. */
  inUse = false
  /** It is, or may be, authenticated for this client. */
  isPrivate = false
  client: Socket | undefined
  /** Its request has ended, but undici is not ready yet. */
  settling = false
  /** Resting: surplus bytes may still arrive after the last response. */
  resting: NodeJS.Timeout | undefined
  /** Kind of the last response: see `bodiless`. */
  kind: number = bodiless.none
  readonly #owner: ConnectionOwner
  readonly #connector: Connect
  #wire: Wire | undefined
  #opening: Socket | undefined
  #carried: ConnectionAware | undefined
  #method = ''
  /** When it is too old for another request. */
  #endsAt = Infinity
  #hasBody = false
  #trailers: TrailerSource | undefined

  constructor(origin: string, owner: ConnectionOwner) {
    super(origin, {
      ...owner.options,
      connect: (options: buildConnector.Options, callback: buildConnector.Callback) => this.#connect(options, callback),
    })
    this.#owner = owner
    this.#connector = owner.connectorOf(() => this)
    this.on('connect', () => {
      this.fresh = true
      this.#endsAt = performance.now() + owner.lifetime()
      this.connected = true
    })
    this.on('disconnect', (_origin, _clients, error: Error) => {
      this.connected = false
      if (!this.running && isSurplus(error)) this.onSurplus()
      owner.onDisconnect(this)
    })
    this.on('drain', () => owner.onDrain(this))
  }

  get roundTrip(): number {
    return this.#owner.roundTrip
  }

  get written(): boolean {
    return this.#wire?.written !== false
  }

  /** A request is being written or its response has not ended. */
  get running(): boolean {
    return this.#wire?.idle === false
  }

  /** It has been used for as long as it may be. */
  get hasAged(): boolean {
    return this.#endsAt !== Infinity && performance.now() >= this.#endsAt
  }

  /** True if it can take another request, as far as is known. */
  get usable(): boolean {
    return this.connected && this.#wire?.usable === true
  }

  get endsByReset(): boolean {
    return this.#hasBody && (this.#carried?.status ?? 0) >= 300
  }

  get expectsBody(): boolean {
    return this.#method !== 'HEAD'
  }

  get isPaused(): boolean {
    return (this.#carried?.controller as { paused?: boolean } | undefined)?.paused === true
  }

  get longLength(): string | undefined {
    return this.#wire?.long.length
  }

  set lends(lends: boolean) {
    this.#wire!.long.lends = lends
  }

  override dispatch(options: ConnectionRequest, handler: Dispatcher.DispatchHandler): boolean {
    const aware = handler as ConnectionAware
    aware.connection = this
    aware.held = options.held
    this.inUse = true
    this.#carried = aware
    this.#method = options.method
    this.#trailers = options.held === undefined ? options.trailers : undefined
    this.#hasBody = options.held !== undefined || (options.body !== null && options.body !== undefined)
    return super.dispatch(options, handler)
  }

  requestBegins(): void {
    const wire = this.#wire!
    wire.begin()
    wire.trailers = this.#trailers && new TrailerSection(this.#trailers)
    const carried = this.#carried!
    const { held } = carried
    if (held === undefined) return
    wire.changeHead = held.changeHead
    wire.onContinue = () => held.release()
    held.begin(new HeldUpload(wire.socket, held, carried), this.#owner.continueTrust)
  }

  responseEnded(): void {
    const { status } = this.#carried!
    this.#carried = undefined
    this.kind =
      this.#method === 'HEAD'
        ? bodiless.head
        : status === 204
          ? bodiless.noContent
          : status === 304
            ? bodiless.notModified
            : bodiless.none
    this.#wire!.end()
    this.#owner.onEnded(this)
  }

  onLongBody(chunk: Buffer): void {
    const carried = this.#carried!
    try {
      carried.onResponseData!(carried.controller!, chunk)
    } catch (error) {
      // As undici does it.
      carried.controller!.abort(error as Error)
    }
  }

  onBorrowed(chunk: Buffer): boolean {
    const carried = this.#carried!
    try {
      return carried.onBorrowed(chunk)
    } catch (error) {
      carried.controller!.abort(error as Error)
      return false
    }
  }

  resumed(): void {
    this.#wire?.long.resume()
  }

  bindTo(client: Socket | undefined): void {
    this.isPrivate = true
    if (client === undefined || client === this.client) return
    this.client = client
    this.#owner.onBound(this, client)
  }

  abandon(): void {
    this.#owner.onAbandoned(this)
    void this.cut()
  }

  /** Closes it at once, with its request. */
  cut(): Promise<void> {
    const destroyed = this.destroy()
    this.#opening?.destroy()
    return destroyed
  }

  onSurplus(): void {
    this.#owner.onSurplus(this.kind)
  }

  #connect(options: buildConnector.Options, callback: buildConnector.Callback): void {
    let since = performance.now()
    const socket = this.#connector(options, (...answer) => {
      this.#opening = undefined
      if (answer[0] === null) this.#wire = new Wire(answer[1], this)
      callback(...answer)
    })
    this.#opening = socket
    socket?.on('lookup', () => {
      since = performance.now()
    })
    socket?.once('connect', () => {
      this.#owner.roundTrip = Math.min(this.#owner.roundTrip, performance.now() - since)
    })
  }
}

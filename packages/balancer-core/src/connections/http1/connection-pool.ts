// Room `connections/http1`: HTTP/1.1 connections to one backend, by undici's client, and corrections of what it gets wrong on them.
import type { Socket } from 'node:net'
import { type Client, errors, type Dispatcher } from 'undici'
import { withBody, type ConnectionRequest, type ConnectorOf } from '../connect.ts'
import { bodiless, Connection, type ConnectionOwner } from './connection.ts'
import { BoundConnections } from './bound-connections.ts'
import { Handshakes } from './handshakes.ts'
import { FreeConnections } from './free-connections.ts'
import { ContinueTrust } from '../held-body.ts'
import type { ConnectionAware, PoolCounts, RequestPool } from '../request-pool.ts'

/**
 * How long a connection rests after a backend's first response of each kind that must not have a body, to see whether
 * one arrives anyway (ms). Faulty servers send it with the same write or the next.
 */
const rest = 50

/**
 * After the first answer to HEAD, so long (ms): servers that make a body for it may take their time. Meanwhile no other
 * connection is used again after HEAD, which seldom comes often.
 */
const trialAfterHead = 1000

/**
 * The HTTP/1.1 connections to one backend. undici's own Pool searches its busy ones for each request, and opens a new one although another
 * would be free in a moment.
 */
export class ConnectionPool implements RequestPool, ConnectionOwner {
  readonly connectorOf: ConnectorOf
  readonly options: Client.Options
  roundTrip = Number.POSITIVE_INFINITY
  readonly lifetime: () => number
  readonly #origin: string
  readonly #limits: { readonly connections: number }
  readonly #all = new Set<Connection>()
  readonly #free = new FreeConnections((connection) => this.#drop(connection))
  /** Waiting requests for which a connection will be free in this turn. */
  readonly #waiting: { options: Dispatcher.DispatchOptions; handler: ConnectionAware }[] = []
  readonly #bound = new BoundConnections((connection) => {
    if (!connection.inUse && this.#all.has(connection)) this.#drop(connection)
  })
  readonly #handshakes: Handshakes
  #settling = 0
  #resting = 0
  /** It rests after the first answer to HEAD. */
  #trial: Connection | undefined
  /** Kinds of answers after which nothing came, and after which something did: see `bodiless`. */
  #trusted: number = bodiless.none
  #distrusted: number = bodiless.none
  readonly continueTrust = new ContinueTrust()
  #ending = false
  destroyed = false

  /** `limits` says how many connections at most, and may change. */
  constructor(
    origin: string,
    limits: { readonly connections: number },
    connectorOf: ConnectorOf,
    lifetime: () => number,
    options: Client.Options,
  ) {
    this.#origin = origin
    this.#limits = limits
    this.connectorOf = connectorOf
    this.lifetime = lifetime
    this.options = options
    this.#handshakes = new Handshakes(origin, connectorOf, options.maxHeaderSize!)
  }

  get stats(): PoolCounts {
    const counts = { connected: 0, free: 0, pending: 0, queued: this.#waiting.length, running: 0 }
    for (const { connected, inUse, settling, running } of this.#all) {
      if (connected) counts.connected++
      if (running) counts.running++
      else if (inUse && !settling) counts.pending++
      else if (connected) counts.free++
    }
    return counts
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const aware = handler as ConnectionAware
    if (this.#ending) {
      handler.onResponseError?.(null as never, new errors.ClientDestroyedError())
      return false
    }
    if ((options as ConnectionRequest).switchTo !== undefined) return this.#handshakes.ask(options, aware)
    const connection = this.#bound.of((options as ConnectionRequest).client) ?? this.#take()
    if (connection === undefined) this.#waiting.push({ options, handler: aware })
    else this.#dispatch(connection, options, aware)
    return connection !== undefined
  }

  async close(): Promise<void> {
    this.#ending = true
    for (const { options, handler } of this.#waiting.splice(0)) this.#dispatch(this.#open(), options, handler)
    await Promise.all([this.#handshakes.over(), ...[...this.#all].map((connection) => connection.close())])
    this.destroyed = true
  }

  async destroy(): Promise<void> {
    this.#ending = true
    this.destroyed = true
    const all = [...this.#all]
    this.#all.clear()
    this.#free.clear()
    const cut = all.map((connection) => connection.cut())
    this.#handshakes.abort(new errors.ClientDestroyedError())
    for (const { handler } of this.#waiting.splice(0))
      if (!handler.isOver) handler.onResponseError?.(null as never, new errors.ClientDestroyedError())
    await Promise.all(cut)
  }

  onEnded(connection: Connection): void {
    connection.settling = true
    this.#settling++
  }

  onDrain(connection: Connection): void {
    if (!connection.inUse || !this.#all.has(connection)) return
    this.#settle(connection)
    connection.inUse = false
    const { kind } = connection
    const isSuspect = !connection.fresh && kind !== bodiless.none
    const isLost = connection.isPrivate && !this.#bound.has(connection)
    if (
      !connection.usable ||
      (connection.hasAged && !connection.isPrivate) ||
      isLost ||
      (isSuspect && (this.#distrusted & kind) !== 0)
    )
      this.#drop(connection)
    else if (connection.isPrivate) return
    else if (isSuspect && (this.#trusted & kind) === 0) this.#rest(connection)
    else this.#give(connection)
    this.#serve()
  }

  onDisconnect(connection: Connection): void {
    this.#settle(connection)
    // With a request, undici opens another socket for it, or fails it.
    if (connection.inUse || !this.#all.has(connection)) return
    this.#drop(connection)
    this.#serve()
  }

  onSurplus(kind: number): void {
    this.#distrusted |= kind
  }

  onBound(connection: Connection, client: Socket): void {
    this.#bound.bind(connection, client)
  }

  onAbandoned(connection: Connection): void {
    this.#settle(connection)
    this.#all.delete(connection)
    // Not within this call: the caller is still at work.
    process.nextTick(() => this.#serve())
  }

  #settle(connection: Connection): void {
    if (!connection.settling) return
    connection.settling = false
    this.#settling--
  }

  #dispatch(connection: Connection, options: Dispatcher.DispatchOptions, handler: ConnectionAware): void {
    // undici's own default; switched off for backends that answer HEAD correctly.
    if (options.method === 'HEAD' && (this.#distrusted & bodiless.head) !== 0) options.reset = true
    const { held } = options as ConnectionRequest
    const isIgnored = held !== undefined && this.continueTrust.isLost
    connection.dispatch(isIgnored ? withBody(options, held) : options, handler)
    if (handler.refused) this.onDrain(connection)
  }

  /** A connection that can be used at once, or a new one. */
  #take(): Connection | undefined {
    const free = this.#free.take()
    if (free !== undefined) return free
    // There will be as many in a moment, without the cost of a new one.
    return this.#waiting.length < this.#settling + this.#resting ? undefined : this.#make()
  }

  /** A new one; in place of an idle one that nobody else can use, if there are as many as may be. */
  #make(): Connection | undefined {
    if (this.#all.size < this.#limits.connections) return this.#open()
    const idle = this.#bound.idle ?? this.#trial
    if (idle === undefined) return undefined
    this.#drop(idle)
    return this.#open()
  }

  #open(): Connection {
    const connection = new Connection(this.#origin, this)
    this.#all.add(connection)
    return connection
  }

  /** Sends waiting requests, as long as there are connections. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      if (this.#waiting[0]!.handler.isOver) {
        this.#waiting.shift()
        continue
      }
      const free = this.#free.take()
      const next = free ?? (this.#waiting.length > this.#settling + this.#resting ? this.#make() : undefined)
      if (next === undefined) return
      const { options, handler } = this.#waiting.shift()!
      this.#dispatch(next, options, handler)
    }
  }

  #give(connection: Connection): void {
    if (!this.#ending) this.#free.put(connection)
  }

  #rest(connection: Connection): void {
    const isHead = connection.kind === bodiless.head
    if (isHead && this.#trial !== undefined) return this.#drop(connection)
    if (isHead) this.#trial = connection
    else this.#resting++
    connection.resting = setTimeout(
      () => {
        this.#wake(connection)
        this.#trusted |= connection.kind & ~this.#distrusted
        this.#give(connection)
        this.#serve()
      },
      isHead ? trialAfterHead : rest,
    ).unref()
  }

  #wake(connection: Connection): void {
    if (connection.resting === undefined) return
    clearTimeout(connection.resting)
    connection.resting = undefined
    if (this.#trial === connection) this.#trial = undefined
    else this.#resting--
  }

  #drop(connection: Connection): void {
    this.#all.delete(connection)
    this.#bound.forget(connection)
    this.#wake(connection)
    this.#free.remove(connection)
    if (!this.#ending) connection.destroy(() => {})
  }
}

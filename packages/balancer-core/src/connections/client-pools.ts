import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { Socket } from 'node:net'
import { errors, type Dispatcher } from 'undici'
import { onceClosed } from './once-closed.ts'
import { proxyHeader, type ProxyVersion } from './proxy-header.ts'
import type { PoolCounts, RequestPool } from './request-pool.ts'

/** A client's request, as far as it says whose it is. */
interface ClientRequest {
  /** The client's address, as the app has it. */
  readonly ip: string
  readonly raw: IncomingMessage | Http2ServerRequest
}

/** A handler that knows its client's request. */
interface ClientHandler extends Dispatcher.DispatchHandler {
  readonly exchange?: { readonly request: ClientRequest }
}

/** The connections of one client. */
interface ClientPool {
  readonly header: Buffer
  readonly pool: RequestPool
  /** No longer waits for its client to leave. */
  readonly forget: () => void
}

/** The connection that a request came on; undefined if there is none that will say that it has closed. */
function connectionOf({ raw }: ClientRequest): EventEmitter | undefined {
  const one = 'stream' in raw ? raw.stream.session : raw.socket
  const isOpen = one instanceof EventEmitter && (one as Partial<Socket>).destroyed === false
  return isOpen && ('stream' in raw || one instanceof Socket) ? one : undefined
}

function headerOf(version: ProxyVersion, { ip, raw: { socket } }: ClientRequest): Buffer {
  // Of a client behind a trusted proxy, no port is known.
  const port = socket.remoteAddress === ip ? socket.remotePort : undefined
  return proxyHeader(version, { address: ip, port }, { address: socket.localAddress, port: socket.localPort })
}

/**
 * The connections to a backend to which each connection says, by the PROXY protocol, who its client is: no two client
 * connections ever share one. A client's are closed together with its own connection.
 */
export class ClientPools implements RequestPool {
  readonly #version: ProxyVersion
  readonly #limits: { readonly connections: number }
  readonly #open: (header: Buffer) => RequestPool
  readonly #byClient = new Map<EventEmitter, ClientPool>()
  /** Pools that end with what they have been given. */
  readonly #leaving = new Map<RequestPool, Promise<unknown>>()
  #ending = false
  destroyed = false

  /** `open` opens a pool whose connections all begin with that header. */
  constructor(version: ProxyVersion, limits: { readonly connections: number }, open: (header: Buffer) => RequestPool) {
    this.#version = version
    this.#limits = limits
    this.#open = open
  }

  get stats(): PoolCounts {
    const sum = { connected: 0, free: 0, pending: 0, queued: 0, running: 0, allowed: 0 }
    for (const { stats } of this.#all())
      for (const name of Object.keys(sum) as (keyof PoolCounts)[]) sum[name] += stats[name] ?? stats.connected
    return sum
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: ClientHandler): boolean {
    if (this.#ending) {
      handler.onResponseError?.(null as never, new errors.ClientDestroyedError())
      return false
    }
    const { request } = handler.exchange!
    const header = headerOf(this.#version, request)
    const client = connectionOf(request)
    if (client !== undefined) return this.#poolFor(client, header).dispatch(options, handler)
    const pool = this.#open(header)
    const isSent = pool.dispatch(options, handler)
    this.#retire(pool)
    return isSent
  }

  async close(): Promise<void> {
    this.#ending = true
    for (const client of this.#byClient.keys()) this.#release(client)
    await Promise.all(this.#leaving.values())
    this.destroyed = true
  }

  async destroy(): Promise<void> {
    this.#ending = true
    this.destroyed = true
    const all = [...this.#all()]
    for (const { forget } of this.#byClient.values()) forget()
    this.#byClient.clear()
    this.#leaving.clear()
    await Promise.all(all.map((pool) => pool.destroy()))
  }

  #all(): RequestPool[] {
    return [...[...this.#byClient.values()].map(({ pool }) => pool), ...this.#leaving.keys()]
  }

  #poolFor(client: EventEmitter, header: Buffer): RequestPool {
    const own = this.#byClient.get(client)
    // A trusted proxy may carry the requests of several clients on one connection.
    if (own?.header.equals(header) === true) return own.pool
    if (own !== undefined) this.#release(client)
    this.#makeRoom()
    const pool = this.#open(header)
    const forget = onceClosed(client, () => this.#release(client))
    this.#byClient.set(client, { header, pool, forget })
    return pool
  }

  /** Closes idle connections of others, if there are as many as may be. */
  #makeRoom(): void {
    if (this.#byClient.size < this.#limits.connections) return
    for (const [client, { pool }] of this.#byClient) {
      const { pending, queued, running } = pool.stats
      if (pending + queued + running === 0) return this.#release(client)
    }
  }

  #release(client: EventEmitter): void {
    const { pool, forget } = this.#byClient.get(client)!
    forget()
    this.#byClient.delete(client)
    this.#retire(pool)
  }

  /** It takes no more requests, and closes after the last one. */
  #retire(pool: RequestPool): void {
    const forget = () => void this.#leaving.delete(pool)
    this.#leaving.set(pool, pool.close().then(forget, forget))
  }
}

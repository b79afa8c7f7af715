// Room `backends`: a backend with its state, counters and connections, and the set of all at one moment.
import type { ProxyVersion } from '../connections/proxy-header.ts'
import type { RequestPool } from '../connections/request-pool.ts'
import { BackendTls } from '../connections/tls/backend-tls.ts'
import type { Whereabouts } from '../names/host-names.ts'
import type { PoolOptions, Protocol } from './pool-options.ts'
import type { BackendSettings } from './backend-options.ts'
import { BackendCounts } from './counts/backend-counts.ts'
import { byClass } from './counts/status-counts.ts'
import { viewOfVeto, type Veto } from './veto.ts'

/** `ready` takes requests; `drain` and `maintenance` are hard vetoes by those names. */
export type BackendState = 'ready' | 'drain' | 'maintenance'

/** For a backend that is opened without options. */
const noOptions = new BackendTls({}, undefined, 'pool.tls')

/**
 * Why a tunnel ended: a side that closed first, a limit (`idle`, `linger`, `max-age`), or an order (`drain`, `shutdown`,
 * `operator`).
 */
export type TunnelEnd = 'client' | 'backend' | 'idle' | 'linger' | 'max-age' | 'drain' | 'shutdown' | 'operator'

/** What is known of a tunnel. */
export interface TunnelView {
  /** The protocol, in lower case. */
  readonly protocol: string
  /** Bytes from the client to the backend, and back. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** On the clock, in ms; `closedAt` is 0 while it is open. */
  readonly openedAt: number
  readonly closedAt: number
  /** Who ended it, or why it was ended from here. */
  readonly closedBy: TunnelEnd | undefined
}

/** An exchange with a backend that was upgraded: bytes in both directions. */
export interface BackendTunnel extends TunnelView {
  /** Closes it in an orderly way, within 2 s; resolves once it is closed. */
  shutDown(reason: 'drain'): Promise<void>
}

/**
 * One server: an identity that outlives changes of the set, with its live counters and its pool. Read it freely;
 * only the balancer that owns it writes.
 */
export class Backend extends BackendCounts {
  readonly id: string
  weight!: number
  /** The weight that policies use: the configured one, or less during slow start. */
  effectiveWeight!: number
  #warmth = 1
  /** Lower is preferred; a higher one is used when no lower one is healthy. */
  priority!: number
  /** Most requests that may ever be in flight to it. */
  maxInFlight!: number
  /** Most requests that may be in flight now; more wait in the balancer's queue. At most `maxInFlight`. */
  limit!: number
  /** The most that each extension allows that has a say, by its name; undefined while none has. */
  #limits: Map<string, number> | undefined
  zone: string | undefined
  protocol!: Protocol
  tags!: readonly string[]
  vetoes: readonly Veto[] = []
  /** True while it drains and before the deadline: a policy may still send its bound clients there. */
  keepsBound = false

  /** Attempts in progress. */
  inFlight = 0
  /** Open tunnels, the oldest first. */
  readonly tunnels = new Set<BackendTunnel>()
  /** Open tunnels, and attempts that may become one. */
  tunnelPlaces = 0
  /** What its tunnels add to its load. */
  tunnelLoad = 0
  /** Recent failures; they count as load for a while, so that failing fast attracts no traffic. */
  penalty = 0

  /** TLS to it, also for connections without traffic, e.g. probes. */
  tls: BackendTls
  /** Replaced after the deadline of a drain has closed its connections, and when its TLS changes. */
  pool: RequestPool
  /** What `pool` was opened with. */
  poolOptions!: PoolOptions
  /** Pools beside it that end with what they have been given. */
  readonly #single = new Set<RequestPool>()
  /** Called once when the last attempt and the last tunnel have ended. */
  readonly #whenIdle: (() => void)[] = []

  constructor(
    id: string,
    url: string,
    settings: BackendSettings,
    pool: RequestPool,
    place: Whereabouts & { readonly tls?: BackendTls; readonly proxyProtocol?: ProxyVersion | undefined } = {},
  ) {
    super(url, place, place.proxyProtocol)
    this.id = id
    this.tls = place.tls ?? noOptions
    this.pool = pool
    this.configure(settings)
  }

  configure({ weight, priority, maxInFlight, zone, tags, protocol = 'http1' }: BackendSettings): void {
    this.weight = weight
    this.effectiveWeight = weight * this.#warmth
    this.priority = priority
    this.maxInFlight = maxInFlight
    this.limit = this.limitBeside()
    this.zone = zone
    this.tags = tags
    this.protocol = protocol
  }

  /** See `Balancer.limit`. @throws RangeError for NaN, which would lift every limit */
  restrict(capacity: number, by: string): void {
    if (Number.isNaN(capacity)) throw new RangeError(`the limit of backend ${this.id} is not a number`)
    if (capacity === Infinity) this.#limits?.delete(by)
    else (this.#limits ??= new Map()).set(by, Math.max(1, Math.floor(capacity)))
    this.limit = this.limitBeside()
  }

  /** What its limit would be without the one that this extension has set. */
  limitBeside(by?: string): number {
    let least = this.maxInFlight
    for (const [owner, limit] of this.#limits ?? []) if (owner !== by) least = Math.min(least, limit)
    return least
  }

  /** Closes a pool after its requests have ended. */
  closeAfterUse(pool: RequestPool): void {
    this.#single.add(pool)
    const forget = () => void this.#single.delete(pool)
    pool.close().then(forget, forget)
  }

  /** Closes every connection at once, and tunnels in an orderly way. `pool` may already have been replaced. */
  async cut(pool: RequestPool = this.pool): Promise<void> {
    const tunnels = [...this.tunnels].map((tunnel) => tunnel.shutDown('drain'))
    await Promise.all([...[pool, ...this.#single].map((one) => one.destroy()), ...tunnels])
  }

  /** Sets the share of its weight that is in effect, above 0 up to 1. */
  warm(part: number): void {
    this.#warmth = part
    this.effectiveWeight = this.weight * part
  }

  /** No attempt is in progress, and no tunnel is open. */
  get isIdle(): boolean {
    return this.inFlight === 0 && this.tunnelPlaces === 0
  }

  /** Calls back once, as soon as it is idle. */
  whenIdle(callback: () => void): void {
    if (this.isIdle) callback()
    else this.#whenIdle.push(callback)
  }

  /** To be called when an attempt or a tunnel has ended. */
  tellIfIdle(): void {
    if (this.isIdle) for (const callback of this.#whenIdle.splice(0)) callback()
  }

  /** What load-aware policies compare. */
  get load(): number {
    return this.inFlight + this.penalty + this.tunnelLoad
  }

  /** The connections to it now; see `PoolCounts`. */
  get connections(): { open: number; idle: number; running: number; allowed: number; waiting: number } {
    const { connected, free, running, allowed = connected, pending, queued } = this.pool.stats
    const waiting = this.protocol === 'http1' ? pending + queued : queued
    return { open: connected, idle: free, running, allowed, waiting }
  }

  get state(): BackendState {
    const isOrdered = (order: string) => this.vetoes.some(({ hard, by }) => hard && by === order)
    return isOrdered('maintenance') ? 'maintenance' : isOrdered('drain') ? 'drain' : 'ready'
  }

  get available(): boolean {
    return this.vetoes.length === 0
  }

  /** The view that the admin API and `console.log` show. */
  toJSON() {
    const { id, url, weight, effectiveWeight, priority, maxInFlight, limit, zone, tags, state, available, vetoes } =
      this
    const { inFlight, tunnels, requests, retries, outcomes, failed, bytesSent, bytesReceived, latency, host } = this
    const { proxyProtocol, protocol, connections } = this
    const { tunnelBytesSent, tunnelBytesReceived } = this
    return {
      id,
      url,
      // Only with a host name that was looked up.
      ...(host !== undefined &&
        host.addresses.length > 0 && { addresses: host.addresses.map(({ address }) => address) }),
      protocol,
      weight,
      effectiveWeight,
      priority,
      maxInFlight,
      limit,
      zone,
      tags,
      ...(proxyProtocol !== undefined && { proxyProtocol }),
      state,
      available,
      vetoes: vetoes.map(viewOfVeto),
      inFlight,
      tunnels: tunnels.size,
      connections,
      requests,
      retries,
      outcomes,
      failed,
      responses: byClass(this.responses),
      bytesSent,
      bytesReceived,
      tunnelBytesSent,
      tunnelBytesReceived,
      latency: { average: latency.average, buckets: latency.buckets },
    }
  }
}

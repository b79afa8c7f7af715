import type { LookupFunction } from 'node:net'
import type { RequestPool } from '../connections/request-pool.ts'
import type { Outcome } from '../failure.ts'
import type { HostName } from '../names/host-name.ts'
import type { Whereabouts } from '../names/host-names.ts'
import { Latency } from './latency.ts'
import type { BackendSettings } from './backend-options.ts'
import { viewOfVeto, type Veto } from './veto.ts'

/** `ready` takes requests; `drain` and `maintenance` are hard vetoes by those names. */
export type BackendState = 'ready' | 'drain' | 'maintenance'

/**
 * Why a tunnel ended: a side that closed first, a limit (`idle`, `linger`, `max-age`), or an order (`drain`, `shutdown`,
 * `operator`).
 */
export type TunnelEnd = 'client' | 'backend' | 'idle' | 'linger' | 'max-age' | 'drain' | 'shutdown' | 'operator'

/** An exchange with a backend that was upgraded: bytes in both directions. */
export interface BackendTunnel {
  /** On the clock, in ms. */
  readonly openedAt: number
  /** Closes it in an orderly way, within 2 s; resolves once it is closed. */
  shutDown(reason: 'drain'): Promise<void>
}

/**
 * One server: an identity that outlives changes of the set, with its live counters and its pool. Read it freely;
 * only the balancer that owns it writes.
 */
export class Backend {
  readonly id: string
  /** The origin, e.g. `http://10.0.0.1:3000`. */
  readonly url: string
  /** The host alone, without brackets of IPv6. */
  readonly hostname: string
  /** Its host name with its addresses; undefined if the URL has an IP address, or the user passed a `lookup`. */
  readonly host: HostName | undefined
  /** Name look-up for connections without traffic, e.g. probes: same addresses as for traffic. */
  readonly lookup: LookupFunction | undefined
  weight!: number
  /** The weight that policies use: the configured one, or less during slow start. */
  effectiveWeight!: number
  #warmth = 1
  /** Lower is preferred; a higher one is used when no lower one is healthy. */
  priority!: number
  /** Most requests in flight to it; more wait in the balancer's queue. */
  maxInFlight!: number
  zone: string | undefined
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
  /** Attempts started so far. */
  requests = 0
  /** Ended attempts, by outcome. */
  readonly outcomes: Partial<Record<Outcome, number>> = {}
  /** Bytes sent to it and received from it, of bodies and tunnels. */
  bytesSent = 0
  bytesReceived = 0
  /** Of those, bytes of tunnels. */
  tunnelBytesSent = 0
  tunnelBytesReceived = 0
  readonly latency = new Latency()

  /** Replaced after the deadline of a drain has closed its connections. */
  pool: RequestPool
  /** Pools beside it that end with what they have been given. */
  readonly #single = new Set<RequestPool>()
  /** Called once when the last attempt and the last tunnel have ended. */
  readonly #whenIdle: (() => void)[] = []

  constructor(
    id: string,
    url: string,
    settings: BackendSettings,
    pool: RequestPool,
    { host, lookup }: Whereabouts = {},
  ) {
    this.id = id
    this.url = url
    this.host = host
    this.lookup = lookup
    this.hostname = new URL(url).hostname.replace(/^\[|\]$/g, '')
    this.pool = pool
    this.configure(settings)
  }

  configure({ weight, priority, maxInFlight, zone, tags }: BackendSettings): void {
    this.weight = weight
    this.effectiveWeight = weight * this.#warmth
    this.priority = priority
    this.maxInFlight = maxInFlight
    this.zone = zone
    this.tags = tags
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

  get state(): BackendState {
    const isOrdered = (order: string) => this.vetoes.some(({ hard, by }) => hard && by === order)
    return isOrdered('maintenance') ? 'maintenance' : isOrdered('drain') ? 'drain' : 'ready'
  }

  get available(): boolean {
    return this.vetoes.length === 0
  }

  /** The view that the admin API and `console.log` show. */
  toJSON() {
    const { id, url, weight, effectiveWeight, priority, maxInFlight, zone, tags, state, available, vetoes } = this
    const { inFlight, tunnels, requests, outcomes, bytesSent, bytesReceived, latency, host } = this
    const { tunnelBytesSent, tunnelBytesReceived } = this
    return {
      id,
      url,
      // Only with a host name that was looked up.
      ...(host !== undefined &&
        host.addresses.length > 0 && { addresses: host.addresses.map(({ address }) => address) }),
      weight,
      effectiveWeight,
      priority,
      maxInFlight,
      zone,
      tags,
      state,
      available,
      vetoes: vetoes.map(viewOfVeto),
      inFlight,
      tunnels: tunnels.size,
      requests,
      outcomes,
      bytesSent,
      bytesReceived,
      tunnelBytesSent,
      tunnelBytesReceived,
      latency: { average: latency.average, buckets: latency.buckets },
    }
  }
}

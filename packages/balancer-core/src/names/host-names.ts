// Room `names`: looks up the addresses of host names, without blocking other look-ups.
import { addressIn } from '@fastify-balancer/option-schema'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../clock.ts'
import { HostName } from './host-name.ts'
import { lookupFunction } from './lookup-function.ts'
import { NameSources, type Sources } from './name-sources.ts'

/** How the addresses of a backend are found; not needed if its URL has an IP address. */
export interface Whereabouts {
  /** Its name; also undefined if the user passed a `lookup`. */
  readonly host?: HostName | undefined
  /** For connections without traffic, with a rotation of their own. */
  readonly lookup?: LookupFunction | undefined
}

/** The host names of one balancer's backends: each is looked up once, however many backends and connections have it. */
export class HostNames {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #sources: Sources
  readonly #names = new Map<string, HostName>()
  #isClosed = false

  constructor(clock: Clock, random: () => number, sources: Sources = new NameSources(clock)) {
    this.#clock = clock
    this.#random = random
    this.#sources = sources
  }

  /** A user's `lookup`, among the options for connections, replaces ours. */
  whereaboutsOf(url: string, connecting: { readonly lookup?: unknown } = {}): Whereabouts {
    if (typeof connecting.lookup === 'function') return { lookup: connecting.lookup as LookupFunction }
    const { origin, socketPath } = addressIn(url)
    const { hostname } = new URL(origin)
    // IPv6 addresses stand in brackets.
    if (socketPath !== undefined || isIP(hostname) !== 0 || hostname.startsWith('[')) return {}
    const host = this.#names.get(hostname) ?? new HostName(hostname, this.#sources, this.#clock, this.#random)
    this.#names.set(hostname, host)
    return { host, lookup: lookupFunction(host) }
  }

  /** Names of the current set are refreshed from now on, and no others. */
  keepOnly(backends: readonly { readonly hostname: string }[]): void {
    // A change that was under way when the balancer closed. And most long lists hold addresses.
    if (this.#isClosed || this.#names.size === 0) return
    const current = new Set(backends.map(({ hostname }) => hostname))
    for (const [hostname, name] of this.#names) {
      if (current.has(hostname)) name.keep()
      else {
        name.letGo()
        this.#names.delete(hostname)
      }
    }
  }

  /** Ends all look-ups and timers. */
  close(): void {
    this.#isClosed = true
    for (const name of this.#names.values()) name.close()
    this.#sources.close()
  }
}

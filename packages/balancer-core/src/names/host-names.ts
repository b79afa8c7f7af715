// Room `names`: the addresses that a host name has, looked up without holding up anybody else.
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../clock.ts'
import { HostName } from './host-name.ts'
import { lookupFunction } from './lookup-function.ts'
import { NameSources, type Sources } from './name-sources.ts'

/** How the addresses of a backend are found: not at all, if its URL holds one. */
export interface Whereabouts {
  /** Its name; undefined also where the user looks names up. */
  readonly host?: HostName | undefined
  /** For connections that carry no traffic: their turns are their own. */
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

  /** A `lookup` of the user's, among the options for connections, goes before ours. */
  whereaboutsOf(url: string, connecting: { readonly lookup?: unknown } = {}): Whereabouts {
    if (typeof connecting.lookup === 'function') return { lookup: connecting.lookup as LookupFunction }
    const { hostname } = new URL(url)
    // IPv6 addresses stand in brackets.
    if (isIP(hostname) !== 0 || hostname.startsWith('[')) return {}
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

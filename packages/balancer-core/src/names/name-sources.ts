import type { Clock } from '../clock.ts'
import { parseSources } from './files/host-sources.ts'
import { hostsPath, parseHosts } from './files/hosts-file.ts'
import { NameSearch, type Tell, type Wanted } from './name-search.ts'
import { NameServers } from './name-servers.ts'
import { parseResolvConf } from './files/resolv-conf.ts'
import { WatchedFile } from './files/watched-file.ts'

/** A source for name look-ups. */
export interface Sources {
  /** Calls `tell`, maybe before it returns; the returned function cancels the search. */
  find(wanted: Wanted, tell: Tell): () => void
  /** Cancels all questions. */
  close(): void
}

/** Files and name servers to use instead of the system's. */
export interface Places {
  readonly hosts?: string
  readonly resolvConf?: string
  readonly nsswitch?: string
  readonly servers?: readonly string[]
}

/**
 * The sources of this machine: the hosts file and `localhost` (RFC 6761 §6.3), name servers, and the system for
 * anything these do not know.
 */
export class NameSources implements Sources {
  readonly #clock: Clock
  readonly #hosts
  readonly #conf
  readonly #order
  readonly #servers: NameServers
  readonly #slow = new Map<string, () => void>()

  constructor(clock: Clock, places: Places = {}) {
    this.#clock = clock
    this.#hosts = new WatchedFile(places.hosts ?? hostsPath, parseHosts, clock)
    this.#conf = new WatchedFile(places.resolvConf ?? '/etc/resolv.conf', (text) => parseResolvConf(text), clock)
    this.#order = new WatchedFile(places.nsswitch ?? '/etc/nsswitch.conf', parseSources, clock)
    this.#servers = new NameServers(() => this.#conf.content, places.servers)
  }

  find(wanted: Wanted, tell: Tell): () => void {
    const around = {
      clock: this.#clock,
      hosts: this.#hosts.content,
      conf: this.#conf.content,
      order: this.#order.content,
      servers: this.#servers,
      slow: this.#slow,
    }
    const search = new NameSearch(wanted, around, tell)
    return () => search.stop()
  }

  close(): void {
    this.#servers.cancel()
    for (const stop of this.#slow.values()) stop()
  }
}

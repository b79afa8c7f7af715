import type { Clock } from '../clock.ts'
import { parseSources } from './files/host-sources.ts'
import { hostsPath, parseHosts } from './files/hosts-file.ts'
import { NameSearch, type Tell, type Wanted } from './name-search.ts'
import { NameServers } from './name-servers.ts'
import { parseResolvConf } from './files/resolv-conf.ts'
import { WatchedFile } from './files/watched-file.ts'

/** Where names are looked for. */
export interface Sources {
  /** Calls `tell`, maybe before it returns; what it answers ends the search. */
  find(wanted: Wanted, tell: Tell): () => void
  /** Ends all questions. */
  close(): void
}

/** The files and name servers, where they are not those of the system. */
export interface Places {
  readonly hosts?: string
  readonly resolvConf?: string
  readonly nsswitch?: string
  readonly servers?: readonly string[]
}

/**
 * The sources of this machine: the hosts file and `localhost` (RFC 6761 §6.3), name servers, and for what those do not
 * know, the system.
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

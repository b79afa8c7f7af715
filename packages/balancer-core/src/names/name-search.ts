import type { Clock } from '../clock.ts'
import { addressOf, type Address } from './addresses/address.ts'
import { DnsSearch } from './dns-search.ts'
import { found, isUnanswered, type Finding } from './finding.ts'
import { fullNames } from './full-names.ts'
import type { HostSource } from './files/host-sources.ts'
import type { NameServers } from './name-servers.ts'
import type { ResolvConf } from './files/resolv-conf.ts'
import { systemLookup } from './system-lookup.ts'

/** Gets results; with `isLast`, the final one of this search. Other calls carry only addresses. */
export type Tell = (finding: Finding, isLast: boolean) => void

/** What to look up. */
export interface Wanted {
  readonly name: string
  /** The source of its known addresses; undefined if there are none. */
  readonly knownFrom: 'system' | 'elsewhere' | undefined
}

/** The sources of this machine. */
export interface Surroundings {
  readonly clock: Clock
  readonly hosts: ReadonlyMap<string, readonly Address[]>
  readonly conf: ResolvConf
  readonly order: readonly HostSource[]
  readonly servers: NameServers
  /**
   * Names for which the system is being asked because no name server responds, each with a function that cancels this.
   * It may outlast a search.
   */
  readonly slow: Map<string, () => void>
}

/** How long to wait for name servers before the system is asked as well (ms). */
const patience = 1000

const loopback = found([addressOf('::1')!, addressOf('127.0.0.1')!])

function isIn(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`)
}

/** One look-up of a name: one source after the other, until one has addresses. */
export class NameSearch {
  readonly #wanted: Wanted
  readonly #around: Surroundings
  readonly #tell: Tell
  /** As written in files and standards. */
  readonly #name: string
  readonly #order: HostSource[]
  #dns: DnsSearch | undefined
  #stopSystem: (() => void) | undefined
  #askedSlowly = false
  #timer: unknown

  constructor(wanted: Wanted, around: Surroundings, tell: Tell) {
    this.#wanted = wanted
    this.#around = around
    this.#tell = tell
    this.#name = wanted.name.replace(/\.$/, '').toLowerCase()
    this.#order = [...around.order]
    const listed = around.hosts.get(this.#name)
    if (isIn(this.#name, 'localhost')) tell(listed === undefined ? loopback : found(listed), true)
    // These must not be looked up (RFC 6761 §6.4).
    else if (isIn(this.#name, 'invalid')) tell(found([]), true)
    else this.#next()
  }

  stop(): void {
    this.#around.clock.clearTimeout(this.#timer)
    this.#dns?.stop()
    this.#stopSystem?.()
  }

  #next(): void {
    const source = this.#order.shift()
    const listed = source === 'files' ? this.#around.hosts.get(this.#name) : undefined
    if (listed !== undefined) this.#tell(found(listed), true)
    else if (source === 'files') this.#next()
    else if (source === 'dns') this.#askServers()
    else this.#askSystem()
  }

  #askServers(): void {
    const { clock, conf, servers } = this.#around
    this.#timer = clock.setTimeout(() => this.#askSlowly(), patience)
    const ask = servers.ask.bind(servers)
    this.#dns = new DnsSearch(fullNames(this.#wanted.name, conf), ask, clock, (finding, isLast) => {
      if (isLast) clock.clearTimeout(this.#timer)
      if (finding.addresses.length > 0) this.#tell(finding, isLast)
      else if (!isUnanswered(finding)) this.#next()
      else {
        this.#askSlowly()
        // Do not wait for the system: name servers are asked again soon.
        this.#tell(finding, true)
      }
    })
  }

  #askSystem(): void {
    const standing = this.#wanted.knownFrom === 'system' ? 'found' : 'unknown'
    this.#stopSystem = systemLookup.find(this.#wanted.name, standing, (finding) => this.#tell(finding, true))
  }

  /** No name server responds. Many names may wait here for long: results are reported whenever they arrive. */
  #askSlowly(): void {
    const { name, knownFrom } = this.#wanted
    const { slow } = this.#around
    // An answer of name servers stays valid until they give another.
    if (knownFrom === 'elsewhere') return
    if (this.#askedSlowly || slow.has(name)) return
    this.#askedSlowly = true
    const stop = systemLookup.find(name, 'unanswered', (finding) => {
      slow.delete(name)
      if (finding.addresses.length > 0) this.#tell(finding, false)
    })
    slow.set(name, stop)
  }
}

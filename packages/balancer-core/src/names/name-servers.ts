import dns, { type RecordWithTtl } from 'node:dns'
import { addressOf, type Address, type Family } from './addresses/address.ts'
import type { ResolvConf } from './files/resolv-conf.ts'

/** A name server's answer for one name and family. */
export interface Answer {
  /** Empty if the name has none of this family or does not exist; undefined: no valid answer. */
  readonly addresses: readonly Address[] | undefined
  /** TTL (ms): the shortest of all records, aliases included. */
  readonly ttl: number
  /** The error, or the one that says that there are none. */
  readonly error: NodeJS.ErrnoException | undefined
}

/** The c-ares codes for: the name does not exist, has no such addresses, or is no valid name. */
const negative = new Set<string | undefined>(['ENOTFOUND', 'ENODATA', 'EBADNAME'])
/** No name server responded; c-ares has asked all. */
const silent = new Set<string | undefined>(['ETIMEOUT', 'ECANCELLED', 'EDESTRUCTION'])

/** How often c-ares asks each by default: Node's own default. */
const usualAttempts = 4

/** The name servers when this module was loaded; Node keeps these for `dns.resolve`, even if resolv.conf changes. */
const ofSystem = String(new dns.Resolver().getServers())

/** The name servers that the app has set with `dns.setServers`, if it has. */
function serversOfApp(): readonly string[] | undefined {
  const servers = dns.getServers()
  return String(servers) === ofSystem ? undefined : servers
}

/**
 * The name servers of this machine, asked by c-ares: no thread waits for them, and no question waits for another.
 * c-ares goes on to the next one if one does not respond. Doing so after a failure too (SERVFAIL, REFUSED), which Node
 * switches off, is done here.
 */
export class NameServers {
  readonly #conf: () => ResolvConf
  readonly #set: readonly string[] | undefined
  #resolvers: readonly dns.Resolver[] = []
  /** Replaced ones that may still wait for answers. */
  #former: readonly dns.Resolver[] = []
  /** The settings that `#resolvers` were created with. */
  #mark = ''
  #turn = 0

  /** `servers` replaces those of the system or the app. */
  constructor(conf: () => ResolvConf, servers?: readonly string[]) {
    this.#conf = conf
    this.#set = servers
  }

  /** Asks for the addresses of a full name. */
  ask(name: string, family: Family, answered: (answer: Answer) => void): void {
    const conf = this.#conf()
    const resolvers = this.#current(conf)
    const first = conf.rotate ? this.#turn++ % resolvers.length : 0
    const askFrom = (count: number) => {
      query(resolvers[(first + count) % resolvers.length]!, name, family, (answer) => {
        const asksNext =
          answer.addresses === undefined && !silent.has(answer.error?.code) && count + 1 < resolvers.length
        if (asksNext) askFrom(count + 1)
        else answered(answer)
      })
    }
    askFrom(0)
  }

  /** Cancels all questions: they get an answer without addresses. */
  cancel(): void {
    for (const resolver of [...this.#resolvers, ...this.#former]) resolver.cancel()
  }

  /** One for each name server, beginning with that one. */
  #current(conf: ResolvConf): readonly dns.Resolver[] {
    const listed = this.#set ?? serversOfApp() ?? conf.servers
    const mark = JSON.stringify([listed, conf.timeout, conf.attempts])
    if (mark === this.#mark) return this.#resolvers
    this.#former = this.#resolvers
    // Node loses the zone of a link-local address; c-ares itself does not.
    const servers = listed.filter((server) => !server.includes('%'))
    const options = { timeout: conf.timeout ?? -1, tries: conf.attempts ?? usualAttempts }
    this.#mark = mark
    this.#resolvers = Array.from({ length: Math.max(1, servers.length) }, (_, index) => {
      const resolver = new dns.Resolver(options)
      if (servers.length > 0) resolver.setServers([...servers.slice(index), ...servers.slice(0, index)])
      return resolver
    })
    return this.#resolvers
  }
}

function query(resolver: dns.Resolver, name: string, family: Family, answered: (answer: Answer) => void): void {
  const done = (error: NodeJS.ErrnoException | null, records?: readonly RecordWithTtl[]) => {
    if (error !== null) {
      answered({ addresses: negative.has(error.code) ? [] : undefined, ttl: 0, error })
      return
    }
    const addresses = (records ?? []).flatMap(({ address }) => addressOf(address) ?? [])
    const ttl = Math.min(...(records ?? []).map((record) => record.ttl)) * 1000
    answered({ addresses, ttl, error: undefined })
  }
  if (family === 4) resolver.resolve4(name, { ttl: true }, done)
  else resolver.resolve6(name, { ttl: true }, done)
}

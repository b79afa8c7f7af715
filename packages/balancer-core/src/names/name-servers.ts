import dns, { type RecordWithTtl } from 'node:dns'
import { addressOf, type Address, type Family } from './addresses/address.ts'
import type { ResolvConf } from './files/resolv-conf.ts'

/** What a name server says of one name and family. */
export interface Answer {
  /** None, if the name has none of this family or does not exist; undefined: nobody who should know has answered. */
  readonly addresses: readonly Address[] | undefined
  /** How long it holds (ms): the shortest of all records, aliases included. */
  readonly ttl: number
  /** What went wrong, or says that there are none. */
  readonly error: NodeJS.ErrnoException | undefined
}

/** The codes by which c-ares says that a name does not exist or has no such addresses, or cannot be a name. */
const negative = new Set<string | undefined>(['ENOTFOUND', 'ENODATA', 'EBADNAME'])
/** None has answered at all: c-ares has asked them all. */
const silent = new Set<string | undefined>(['ETIMEOUT', 'ECANCELLED', 'EDESTRUCTION'])

/** How often c-ares asks each, if nobody says: Node's own default. */
const usualAttempts = 4

/** What the system had when this was loaded; Node keeps it for `dns.resolve` to the end, whatever becomes of resolv.conf. */
const ofSystem = String(new dns.Resolver().getServers())

/** The name servers that the app has set with `dns.setServers`, if it has. */
function serversOfApp(): readonly string[] | undefined {
  const servers = dns.getServers()
  return String(servers) === ofSystem ? undefined : servers
}

/**
 * The name servers of this machine, asked by c-ares: no thread waits for them, and no question waits for another. c-ares
 * turns to the next when one is silent; that it also does when one fails (SERVFAIL, REFUSED), which Node switches off, is
 * done here.
 */
export class NameServers {
  readonly #conf: () => ResolvConf
  readonly #set: readonly string[] | undefined
  #resolvers: readonly dns.Resolver[] = []
  /** Those that have been replaced, and may still wait for answers. */
  #former: readonly dns.Resolver[] = []
  /** What `#resolvers` were made for. */
  #mark = ''
  #turn = 0

  /** `servers` in place of those that the system or the app has set. */
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

  /** Ends all questions: they get the answer that there is none. */
  cancel(): void {
    for (const resolver of [...this.#resolvers, ...this.#former]) resolver.cancel()
  }

  /** For each name server one that begins with it. */
  #current(conf: ResolvConf): readonly dns.Resolver[] {
    const listed = this.#set ?? serversOfApp() ?? conf.servers
    const mark = JSON.stringify([listed, conf.timeout, conf.attempts])
    if (mark === this.#mark) return this.#resolvers
    this.#former = this.#resolvers
    // Node loses the zone of a link-local address; c-ares itself, which also knows other systems, does not.
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

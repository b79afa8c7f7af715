// Room `changes`: changing lists safely: which backends are allowed, dry runs, revisions, If-Match, the audit log.
import type { Backend, Balancer } from '@fastify-balancer/balancer-core'

/** A list of backends as it was at one revision. Times are ms since the epoch. */
export interface Revision {
  readonly revision: number
  readonly at: number
  /** As the balancer has it: shared, and never written to. */
  readonly backends: Balancer['listed']
}

type Listed = Balancer['listed'][number]
type PoolOptions = Balancer['options']['pool']

/** A list, or one backend of it, before and after a change. */
interface ListChange {
  readonly before: unknown
  readonly after: unknown
  readonly revision: number
}

/** How many lists are kept for rollback. */
const mostKept = 20

/** Longer lists are told as the balancer has them: to fill in the defaults of each would hold up other requests. */
const longList = 1000

/** A backend with its defaults filled in. */
function described({ id, url, weight = 1, priority = 0, zone, tags = [], ...own }: Listed, pool: PoolOptions) {
  const { maxInFlight = pool.connections, protocol = pool.protocol, proxyProtocol } = own
  return {
    id,
    url,
    protocol,
    weight,
    priority,
    maxInFlight,
    ...(zone !== undefined && { zone }),
    tags,
    ...(proxyProtocol !== undefined && { proxyProtocol }),
  }
}

/** Keys and passphrases are not told. */
function withoutTls(backends: Balancer['listed']): Balancer['listed'] {
  return backends.some(({ tls }) => tls !== undefined) ? backends.map(({ tls: _tls, ...one }) => one) : backends
}

/** The last lists of one balancer, through the admin routes or not. */
export class Revisions {
  readonly #balancer: Balancer
  readonly #kept: Revision[] = []
  /** Removed, and still with requests in flight or tunnels when last checked. */
  #retiring: readonly Backend[] = []

  constructor(balancer: Balancer) {
    this.#balancer = balancer
    const remember = (revision: number) => {
      this.#kept.push({ revision, at: Date.now(), backends: balancer.listed })
      if (this.#kept.length > mostKept) this.#kept.shift()
    }
    remember(balancer.set.revision)
    balancer.addHook('onBackendsChange', function adminRoutes(now, before) {
      remember(now.revision)
      const busy = before.all.filter(({ isIdle }) => !isIdle)
      if (busy.length > 0) retire(busy, new Set(now.all))
    })
    const retire = (busy: readonly Backend[], present: ReadonlySet<Backend>) => {
      const removed = busy.filter((backend) => !present.has(backend))
      this.#retiring = this.#retiring.concat(removed).filter(({ isIdle }) => !isIdle)
    }
  }

  /** The oldest first. */
  get kept(): readonly Revision[] {
    return this.#kept
  }

  /** The list at a revision, if it is still kept. */
  at(revision: number): Revision | undefined {
    return this.#kept.find((one) => one.revision === revision)
  }

  /** The same for another instance, which has the keys of its own. */
  toldAt(revision: number): Revision | undefined {
    const found = this.at(revision)
    return found && { ...found, backends: withoutTls(found.backends) }
  }

  /** The lists before and at a revision; undefined where no longer kept. */
  change(revision: number): ListChange {
    const { pool } = this.#balancer.options
    const list = (which: number) => {
      const backends = this.at(which)?.backends
      if (backends === undefined || backends.length > longList) return backends && withoutTls(backends)
      return backends.map((one) => described(one, pool))
    }
    return { before: list(revision - 1), after: list(revision), revision }
  }

  /** The same for one backend. */
  changeOf(id: string, revision: number): ListChange & { readonly backend: string } {
    const { pool } = this.#balancer.options
    const at = (which: number) => {
      const found = this.at(which)?.backends.find((one) => one.id === id)
      return found && described(found, pool)
    }
    return { backend: id, before: at(revision - 1), after: at(revision), revision }
  }

  /** The backend with this id: in the list, or removed but not yet idle (the latest, if several). */
  find(id: string): Backend | undefined {
    try {
      return this.#balancer.backend(id)
    } catch {
      return this.#retiring.findLast((backend) => backend.id === id && !backend.isIdle)
    }
  }
}

const byBalancer = new WeakMap<Balancer, Revisions>()

/** The revisions of a balancer, recorded from the first call on. */
export function revisionsOf(balancer: Balancer): Revisions {
  let revisions = byBalancer.get(balancer)
  if (revisions === undefined) byBalancer.set(balancer, (revisions = new Revisions(balancer)))
  return revisions
}

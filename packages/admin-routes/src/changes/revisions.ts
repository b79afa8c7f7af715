// Room `changes`: changing lists safely: which backends are allowed, dry runs, revisions, If-Match, the audit log.
import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { WantedBackend } from '../schemas/wanted.ts'

/** A list of backends as it was at one revision. Times are ms since the epoch. */
export interface Revision {
  readonly revision: number
  readonly at: number
  readonly backends: readonly WantedBackend[]
}

/** A list, or one backend of it, before and after a change. */
interface ListChange {
  readonly before: unknown
  readonly after: unknown
  readonly revision: number
}

/** How many lists are kept for rollback. */
const mostKept = 20

/** A backend's settings, as an entry of a list that would recreate it. */
export function described({ id, url, weight, priority, maxInFlight, zone, tags }: Backend): WantedBackend {
  return { id, url, weight, priority, maxInFlight, ...(zone !== undefined && { zone }), tags: [...tags] }
}

/** The last lists of one balancer, through the admin routes or not. */
export class Revisions {
  readonly #balancer: Balancer
  readonly #kept: Revision[] = []
  /** Removed, and still with requests in flight when last checked. */
  #retiring: readonly Backend[] = []

  constructor(balancer: Balancer) {
    this.#balancer = balancer
    const remember = (revision: number, all: readonly Backend[]) => {
      this.#kept.push({ revision, at: Date.now(), backends: all.map(described) })
      if (this.#kept.length > mostKept) this.#kept.shift()
    }
    remember(balancer.set.revision, balancer.backends)
    balancer.addHook('onBackendsChange', function adminRoutes(now, before) {
      remember(now.revision, now.all)
      const present = new Set(now.all)
      retire(before.all.filter((backend) => !present.has(backend)))
    })
    const retire = (removed: readonly Backend[]) => {
      this.#retiring = this.#retiring.concat(removed).filter(({ inFlight }) => inFlight > 0)
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

  /** The lists before and at a revision; undefined where no longer kept. */
  change(revision: number): ListChange {
    const [before, after] = [this.at(revision - 1)?.backends, this.at(revision)?.backends]
    return { before, after, revision }
  }

  /** The same for one backend. */
  changeOf(id: string, revision: number): ListChange & { readonly backend: string } {
    const of = (list: readonly WantedBackend[] | undefined) => list?.find((one) => one.id === id)
    const { before, after } = this.change(revision)
    return { backend: id, before: of(before as WantedBackend[]), after: of(after as WantedBackend[]), revision }
  }

  /** The backend with this id: in the list, or removed but still with requests in flight (the latest, if several). */
  find(id: string): Backend | undefined {
    try {
      return this.#balancer.backend(id)
    } catch {
      return this.#retiring.findLast((backend) => backend.id === id && backend.inFlight > 0)
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

import type { Backend, BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import { panicText } from '@fastify-balancer/option-schema'
import { isDeepStrictEqual } from 'node:util'
import { isOrdered } from '../changes/orders.ts'
import { countsOf } from '../views/views.ts'
import type { EventDraft } from './event.ts'
import { VetoNews } from './veto-news.ts'

/** A backend as last seen. */
interface Seen {
  readonly vetoes: Backend['vetoes']
  readonly state: Backend['state']
}

/** What of it another event tells, or another instance. */
export interface ToldElsewhere {
  /** The change of the list. */
  readonly list: boolean
  /** Drains and maintenance, and their end. */
  readonly orders: boolean
  /** What follows from probes, which instances share. */
  readonly probes: boolean
}

const toldHere: ToldElsewhere = { list: false, orders: false, probes: false }

type Listed = Balancer['listed'][number]

const untouched: Seen = { vetoes: [], state: 'ready' }

/** What a list says of a backend, with what it leaves out; `most` requests at once are `pool.connections`. */
function settingsOf(listed: Listed, most: number): string {
  const { url, weight = 1, priority = 0, maxInFlight = most, zone, tags = [], protocol, proxyProtocol } = listed
  return JSON.stringify([url, weight, priority, maxInFlight, zone, tags, protocol, proxyProtocol])
}

function isChanged(earlier: Listed, now: Listed, mostBefore: number, most: number): boolean {
  return settingsOf(earlier, mostBefore) !== settingsOf(now, most) || !isDeepStrictEqual(earlier.tls, now.tls)
}

/** Compares one balancer with its last seen state, and returns the differences as events. */
export class BalancerWatch {
  readonly #balancer: Balancer
  #revision: number
  #panicking: boolean
  #listed: Balancer['listed']
  #most: number
  /** Those that have vetoes. Of thousands, most never do. */
  #seen = new Map<Backend, Seen>()

  constructor(balancer: Balancer) {
    const { set, listed } = balancer
    this.#balancer = balancer
    this.#revision = set.revision
    this.#panicking = set.panicking
    this.#listed = listed
    this.#most = balancer.options.pool.connections
    for (const backend of set.all) this.#see(backend)
  }

  /**
   * What has changed since the last call: first the list, then its backends, then panic mode. What an operator orders is left
   * out, since the `admin` event tells it, and so is what other instances tell.
   */
  observe(set: BackendSet, at: number, elsewhere: ToldElsewhere = toldHere): EventDraft[] {
    const { all, revision, panicking } = set
    const told: EventDraft[] = []
    const { name } = this.#balancer
    if (revision !== this.#revision) {
      this.#revision = revision
      const change = this.#listChange(revision, at)
      if (!elsewhere.list) told.push(change)
      this.#forgetAllBut(all)
    }
    const news = new VetoNews(name, at, {
      circuits: this.#balancer.extensions.has('circuit-breaker'),
      probes: elsewhere.probes,
    })
    for (const backend of all) {
      const last = this.#seen.get(backend) ?? untouched
      if (last.vetoes === backend.vetoes || last.vetoes.length + backend.vetoes.length === 0) continue
      const { id, state } = backend
      const isByOperator = isOrdered(id)
      news.add(backend, last.vetoes, isByOperator || state !== last.state)
      if (state !== last.state && !isByOperator && !elsewhere.orders) {
        const who = backend.vetoes.find(({ by, hard }) => hard && by === state)?.who
        const change = { balancer: name, backend: id, at, state, before: last.state }
        news.drafts.push({ type: 'state', ...change, ...(who !== undefined && { who }) })
      }
      this.#see(backend)
    }
    told.push(...news.drafts)
    if (panicking !== this.#panicking) {
      this.#panicking = panicking
      const counts = countsOf(set)
      told.push({ type: 'panic', balancer: name, at, panicking, ...counts, text: panicText(counts, panicking) })
    }
    return told
  }

  #see(backend: Backend): void {
    const { vetoes, state } = backend
    if (vetoes.length > 0) this.#seen.set(backend, { vetoes, state })
    else this.#seen.delete(backend)
  }

  #forgetAllBut(all: readonly Backend[]): void {
    const before = this.#seen
    if (before.size === 0) return
    this.#seen = new Map()
    for (const backend of all) {
      const last = before.get(backend)
      if (last !== undefined) this.#seen.set(backend, last)
    }
  }

  #listChange(revision: number, at: number): EventDraft {
    const before = new Map(this.#listed.map((one) => [one.id, one]))
    const most = this.#balancer.options.pool.connections
    const mostBefore = this.#most
    this.#most = most
    this.#listed = this.#balancer.listed
    const added: string[] = []
    const changed: string[] = []
    for (const one of this.#listed) {
      const earlier = before.get(one.id)
      before.delete(one.id)
      if (earlier === undefined) added.push(one.id)
      else if (earlier !== one && isChanged(earlier, one, mostBefore, most)) changed.push(one.id)
    }
    return {
      type: 'backends',
      balancer: this.#balancer.name,
      at,
      revision,
      added,
      removed: [...before.keys()],
      changed,
    }
  }
}

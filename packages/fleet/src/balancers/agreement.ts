import type { AgreedList, Balancer, ListAgreement, ListProposal } from '@fastify-balancer/balancer-core'
import { isDeepStrictEqual } from 'node:util'
import { NoStoreError } from '../errors.ts'
import type { Register } from '../registers/register.ts'
import type { Entry } from '../store/store.ts'
import { ordersOf, type SharedOrder } from './orders.ts'
import { removalsWith, type Removals } from './removals.ts'
import { digestOf, recognised, shareable } from './shared-list.ts'

/** The `cause` of list changes that another instance has made. */
const elsewhere = Symbol.for('@fastify-balancer/fleet.elsewhere')

/** What the instances of a balancer share: its list, and what operators have ordered about backends, by their ids. */
export interface SharedState {
  readonly revision: number
  readonly backends: AgreedList['backends']
  readonly orders: Readonly<Record<string, SharedOrder>>
  /** A digest of the list in the configuration: another one there takes the place of what was made of the one before. */
  readonly configured: string
  readonly removed?: Removals
  /** How long those that the last change has removed may finish (ms). */
  readonly deadline?: number
}

/** Orders about backends that the new list does not have end with them. */
function ordersFor(listed: AgreedList['backends'], { backends, orders }: SharedState): SharedState['orders'] {
  if (Object.keys(orders).length === 0) return orders
  const urls = new Map(backends.map(({ id, url }) => [id, url]))
  const stay = new Set(listed.flatMap(({ id, url }) => (id !== undefined && urls.get(id) === url ? [id] : [])))
  return Object.fromEntries(Object.entries(orders).filter(([id]) => stay.has(id)))
}

/** The list that takes the place of another one, and what becomes of orders. */
function following(
  now: SharedState | undefined,
  backends: AgreedList['backends'],
  revision: number,
): Pick<SharedState, 'revision' | 'backends' | 'orders' | 'removed'> {
  if (now === undefined) return { revision, backends, orders: {} }
  const removed = removalsWith(now.removed, now.backends, backends, revision)
  return { revision, backends, orders: ordersFor(backends, now), removed }
}

/** What an agreement needs to know, and whom it tells. */
interface AgreementParts {
  /** Does the list of the others hold, whatever the configuration says? */
  readonly isSuccessor: () => boolean
  /** Resolves once a version of the register is in force everywhere. */
  readonly settled: (version: number) => Promise<void>
  /** The list of new options is in force here, and the others do not know of it. */
  readonly onUnshared: (error: unknown) => void
}

/** Changes of a list, agreed on by a register: one instance after the other. */
export class Agreement implements ListAgreement {
  readonly cause = elsewhere
  readonly #balancer: Balancer
  readonly #register: Register<SharedState>
  readonly #parts: AgreementParts
  /** Which version of the register brought which revision, the last ones. */
  readonly #versions = new Map<number, number>()
  /** The list of the options, and its digest. */
  #configured: { readonly backends: AgreedList['backends']; readonly digest: string } | undefined

  constructor(balancer: Balancer, register: Register<SharedState>, parts: AgreementParts) {
    this.#balancer = balancer
    this.#register = register
    this.#parts = parts
  }

  async join({ listed, base }: Pick<ListProposal, 'listed' | 'base'>): Promise<AgreedList | undefined> {
    const configured = this.#digestOfConfigured()
    const own = shareable(listed)
    // What the others have may have changed since it was heard of last.
    await this.#reached(() => this.#register.read())
    const entry = await this.#change((now) => {
      if (now === undefined) return { revision: base, backends: own, orders: ordersOf(this.#balancer), configured }
      if (now.configured === configured || this.#parts.isSuccessor()) return undefined
      const backends = shareable(this.#balancer.options.backends)
      return { ...following(now, backends, now.revision + 1), configured }
    })
    const state = entry!.value
    const isSame = state.revision === base && isDeepStrictEqual(state.backends, own)
    return isSame ? undefined : recognised(state, this.#balancer)
  }

  async propose(proposal: ListProposal): Promise<{ readonly revision: number } | AgreedList> {
    try {
      return await this.#propose(proposal)
    } catch (error) {
      if (proposal.isConfigured === true) this.#parts.onUnshared(error)
      throw error
    }
  }

  async settled(revision: number): Promise<void> {
    const version = this.#versions.get(revision)
    if (version !== undefined) await this.#parts.settled(version)
  }

  async #propose({ listed, base, above, deadline, isConfigured = false }: ListProposal) {
    const backends = shareable(listed)
    const before = this.#configured?.digest
    const own = this.#digestOfConfigured()
    let newer: AgreedList | undefined
    const entry = await this.#change((now) => {
      newer = undefined
      const configured = isConfigured || now === undefined ? own : now.configured
      const isChanged = now !== undefined && now.revision > base
      // Of new options, another instance was faster, and its list may have been changed since.
      const isKnown = isConfigured && now?.configured === own && (isChanged || before !== own)
      if (isKnown || (isChanged && !isConfigured)) {
        newer = now
        return undefined
      }
      const isSame = isConfigured && now !== undefined && isDeepStrictEqual(now.backends, backends)
      const revision = isSame ? now.revision : Math.max(base, above, now?.revision ?? 0) + 1
      if (isSame && now.configured === own) return undefined
      return { ...following(now, backends, revision), configured, ...(deadline !== undefined && { deadline }) }
    })
    if (newer !== undefined) return recognised(newer, this.#balancer)
    const { version, value } = entry!
    this.#remember(value.revision, version)
    return { revision: value.revision }
  }

  #change(make: (now: SharedState | undefined) => SharedState | undefined): Promise<Entry<SharedState> | undefined> {
    return this.#reached(() => this.#register.change(make))
  }

  async #reached<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      throw new NoStoreError((error as Error).message)
    }
  }

  /** Worked out again only where it is another list: it may be long. */
  #digestOfConfigured(): string {
    const { backends } = this.#balancer.options
    if (this.#configured?.backends !== backends) this.#configured = { backends, digest: digestOf(backends) }
    return this.#configured.digest
  }

  #remember(revision: number, version: number): void {
    this.#versions.set(revision, version)
    for (const old of this.#versions.keys()) if (this.#versions.size > 100) this.#versions.delete(old)
  }
}

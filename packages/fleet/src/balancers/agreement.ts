import type { AgreedList, ListAgreement, ListProposal } from '@fastify-balancer/balancer-core'
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Register } from '../registers/register.ts'
import type { SharedOrder } from './orders.ts'

/** What the instances of a balancer share: its list, and what operators have ordered about backends, by their ids. */
export interface SharedState {
  readonly revision: number
  readonly backends: AgreedList['backends']
  readonly orders: Readonly<Record<string, SharedOrder>>
  /** A digest of the list in the configuration: another one there takes the place of what was made of the one before. */
  readonly configured: string
  /** How long those that the last change has removed may finish (ms). */
  readonly deadline?: number
}

/**
 * A list as all may see it: keys and certificates stay in each instance, which knows them by its own configuration.
 */
export function shareable(listed: readonly AgreedList['backends'][number][]): AgreedList['backends'] {
  return plain(listed.map(({ tls: _tls, ...one }) => one))
}

/** As it comes back from the store, which knows no undefined. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}

/** Two values with the same digest are the same. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)
}

/** Orders about backends that the new list does not have end with them. */
function ordersFor(listed: AgreedList['backends'], { backends, orders }: SharedState): SharedState['orders'] {
  const urls = new Map(backends.map(({ id, url }) => [id, url]))
  const stay = new Set(listed.flatMap(({ id, url }) => (id !== undefined && urls.get(id) === url ? [id] : [])))
  return Object.fromEntries(Object.entries(orders).filter(([id]) => stay.has(id)))
}

/** Changes of a list, agreed on by a register: one instance after the other. */
export class Agreement implements ListAgreement {
  readonly #register: Register<SharedState>
  readonly #configured: () => string
  readonly #settled: (version: number) => Promise<void>
  /** Which version of the register brought which revision, the last ones. */
  readonly #versions = new Map<number, number>()

  /** `configured`: see `SharedState`; `settled` resolves once a version of the register is in force everywhere. */
  constructor(register: Register<SharedState>, configured: () => string, settled: (version: number) => Promise<void>) {
    this.#register = register
    this.#configured = configured
    this.#settled = settled
  }

  async propose({ listed, base, above, deadline }: ListProposal): Promise<{ readonly revision: number } | AgreedList> {
    const register = this.#register
    const backends = shareable(listed)
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- an order may have come in between
      const now = register.newest ?? (await register.read())
      const state = now?.value
      if (state !== undefined && state.revision > base) {
        if (isDeepStrictEqual(state.backends, backends) && state.configured === this.#configured())
          return { revision: state.revision }
        return state
      }
      const revision = Math.max(base, above) + 1
      const orders = state === undefined ? {} : ordersFor(backends, state)
      const configured = this.#configured()
      const next: SharedState = { revision, backends, orders, configured, ...(deadline !== undefined && { deadline }) }
      // oxlint-disable-next-line no-await-in-loop -- likewise
      const entry = await register.set(now?.version ?? 0, next)
      if (entry !== undefined) {
        this.#remember(revision, entry.version)
        return { revision }
      }
      // oxlint-disable-next-line no-await-in-loop -- likewise
      await register.read()
    }
  }

  async settled(revision: number): Promise<void> {
    const version = this.#versions.get(revision)
    if (version !== undefined) await this.#settled(version)
  }

  #remember(revision: number, version: number): void {
    this.#versions.set(revision, version)
    for (const old of this.#versions.keys()) if (this.#versions.size > 100) this.#versions.delete(old)
  }
}

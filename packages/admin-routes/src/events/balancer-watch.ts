import type { Backend, BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import type { EventDraft } from './event.ts'

/** A backend as last seen. */
interface Seen {
  readonly vetoes: Backend['vetoes']
  readonly state: Backend['state']
  /** Its changeable settings, as text. */
  readonly settings: string
}

const untouched: Seen = { vetoes: [], state: 'ready', settings: '' }

function settingsOf({ url, weight, priority, maxInFlight, zone, tags }: Backend): string {
  return JSON.stringify([url, weight, priority, maxInFlight, zone, tags])
}

/** Compares one balancer with its last seen state, and returns the differences as events. */
export class BalancerWatch {
  readonly #name: string
  #revision: number
  #panicking: boolean
  #seen: Map<Backend, Seen>

  constructor({ name, set }: Balancer) {
    this.#name = name
    this.#revision = set.revision
    this.#panicking = set.panicking
    this.#seen = new Map(
      set.all.map((one) => [one, { vetoes: one.vetoes, state: one.state, settings: settingsOf(one) }]),
    )
  }

  /** What has changed since the last call: first the list, then its backends, then panic mode. */
  observe({ all, available, revision, panicking }: BackendSet, at: number): EventDraft[] {
    const told: EventDraft[] = []
    if (revision !== this.#revision) {
      const seen = new Map<Backend, Seen>()
      for (const one of all) {
        const { vetoes, state } = this.#seen.get(one) ?? untouched
        seen.set(one, { vetoes, state, settings: settingsOf(one) })
      }
      this.#compareLists(seen, revision, at, told)
      this.#seen = seen
    }
    for (const backend of all) {
      const last = this.#seen.get(backend) ?? untouched
      if (last.vetoes === backend.vetoes) continue
      this.#compareVetoes(backend, last, at, told)
      const { vetoes, state } = backend
      this.#seen.set(backend, { vetoes, state, settings: last.settings })
    }
    this.#revision = revision
    if (panicking !== this.#panicking) {
      this.#panicking = panicking
      const figures = { backends: all.length, available: available.length }
      told.push({ type: 'panic', balancer: this.#name, at, panicking, ...figures })
    }
    return told
  }

  #compareLists(seen: ReadonlyMap<Backend, Seen>, revision: number, at: number, told: EventDraft[]): void {
    const before = new Map([...this.#seen].map(([{ id }, { settings }]) => [id, settings]))
    const now = new Set<string>()
    const changed: string[] = []
    for (const [{ id }, { settings }] of seen) {
      now.add(id)
      if (before.has(id) && before.get(id) !== settings) changed.push(id)
    }
    told.push({
      type: 'backends',
      balancer: this.#name,
      at,
      revision,
      added: [...now].filter((id) => !before.has(id)),
      removed: [...before.keys()].filter((id) => !now.has(id)),
      changed,
    })
  }

  #compareVetoes({ id, vetoes, state }: Backend, last: Seen, at: number, told: EventDraft[]): void {
    const about = { balancer: this.#name, backend: id, at }
    const tell = (action: 'laid' | 'lifted', of: Backend['vetoes'], others: Backend['vetoes']) => {
      for (const veto of of) {
        if (others.includes(veto)) continue
        const { by, reason, hard, since, evidence } = veto
        told.push({ type: 'veto', ...about, action, by, reason, hard, since, evidence })
      }
    }
    tell('laid', vetoes, last.vetoes)
    tell('lifted', last.vetoes, vetoes)
    if (state !== last.state) told.push({ type: 'state', ...about, state, before: last.state })
  }
}

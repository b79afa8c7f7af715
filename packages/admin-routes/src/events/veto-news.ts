import type { Backend } from '@fastify-balancer/balancer-core'
import type { EventDraft } from './event.ts'

type Vetoes = Backend['vetoes']
type VetoDraft = EventDraft & { readonly type: 'veto' }

/** The vetoes that are states of a backend. */
const states = new Set(['drain', 'maintenance'])

/** What tells of vetoes, besides events of their own. */
export interface VetoesToldElsewhere {
  /** Circuits tell of theirs. */
  readonly circuits: boolean
  /** Another instance tells of those of probes. */
  readonly probes: boolean
}

/** So many are told one by one. */
const most = 10

/**
 * The vetoes that were laid or lifted at one moment, as events: the first of each owner one by one; those that follow, which
 * may be of thousands of backends, as one.
 */
export class VetoNews {
  readonly drafts: EventDraft[] = []
  readonly #balancer: string
  readonly #at: number
  readonly #elsewhere: VetoesToldElsewhere
  readonly #told = new Map<string, { readonly count: number; readonly last: VetoDraft }>()

  /** `at` in ms since the epoch. */
  constructor(balancer: string, at: number, elsewhere: VetoesToldElsewhere) {
    this.#balancer = balancer
    this.#at = at
    this.#elsewhere = elsewhere
  }

  /** What has changed of a backend since it had the vetoes `before`; `isState`: its state is told by another event. */
  add(backend: Backend, before: Vetoes, isState: boolean): void {
    this.#tell('laid', backend, backend.vetoes, before, isState)
    this.#tell('lifted', backend, before, backend.vetoes, isState)
  }

  #isToldElsewhere({ by, hard }: Vetoes[number], isState: boolean): boolean {
    const { circuits, probes } = this.#elsewhere
    if (isState && hard && states.has(by)) return true
    return (circuits && by === 'circuit-breaker') || (probes && by === 'health-check')
  }

  #tell(action: 'laid' | 'lifted', { id, vetoes }: Backend, of: Vetoes, others: Vetoes, isState: boolean): void {
    for (const veto of of) {
      if (others.includes(veto) || this.#isToldElsewhere(veto, isState)) continue
      const { by, reason, hard, since, until, evidence } = veto
      const kind = `${action} ${by}`
      const told = this.#told.get(kind)
      if (told !== undefined && told.count >= most) {
        told.last.others = (told.last.others ?? 0) + 1
        continue
      }
      const last: VetoDraft = {
        type: 'veto',
        balancer: this.#balancer,
        backend: id,
        at: this.#at,
        action,
        by,
        reason,
        hard,
        available: vetoes.length === 0,
        since,
        ...(until !== undefined && { until }),
        evidence,
      }
      this.drafts.push(last)
      this.#told.set(kind, { count: (told?.count ?? 0) + 1, last })
    }
  }
}

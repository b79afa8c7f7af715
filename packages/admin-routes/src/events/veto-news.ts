import type { Backend } from '@fastify-balancer/balancer-core'
import type { EventDraft } from './event.ts'

type Vetoes = Backend['vetoes']
type VetoDraft = EventDraft & { readonly type: 'veto' }

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
  readonly #told = new Map<string, { readonly count: number; readonly last: VetoDraft }>()

  /** `at` in ms since the epoch. */
  constructor(balancer: string, at: number) {
    this.#balancer = balancer
    this.#at = at
  }

  /** What has changed of a backend since it had the vetoes `before`. */
  add({ id, vetoes }: Backend, before: Vetoes): void {
    this.#tell('laid', id, vetoes, before)
    this.#tell('lifted', id, before, vetoes)
  }

  #tell(action: 'laid' | 'lifted', backend: string, of: Vetoes, others: Vetoes): void {
    for (const veto of of) {
      if (others.includes(veto)) continue
      const { by, reason, hard, since, evidence } = veto
      const kind = `${action} ${by}`
      const told = this.#told.get(kind)
      if (told !== undefined && told.count >= most) {
        told.last.others = (told.last.others ?? 0) + 1
        continue
      }
      const last: VetoDraft = {
        type: 'veto',
        balancer: this.#balancer,
        backend,
        at: this.#at,
        action,
        by,
        reason,
        hard,
        since,
        evidence,
      }
      this.drafts.push(last)
      this.#told.set(kind, { count: (told?.count ?? 0) + 1, last })
    }
  }
}

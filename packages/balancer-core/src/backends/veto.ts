/** Options of a veto. */
export interface VetoOptions {
  /** Its owner, e.g. `health-check`. */
  readonly by: string
  /** Why, in words for an operator. */
  readonly reason: string
  /**
   * An order (drain, maintenance), which holds in panic mode too; otherwise an opinion, which panic mode ignores.
   * Default false.
   */
  readonly hard?: boolean
  /** Expires after this many ms; without it, only the handle lifts it. */
  readonly ttl?: number
  /** Evidence for the reason: plain data, shown with the veto. */
  readonly evidence?: unknown
}

/** A reason, with an owner, not to send requests to a backend. */
export interface Veto {
  readonly by: string
  readonly reason: string
  readonly hard: boolean
  /** Since when, in ms since the epoch. */
  readonly since: number
  readonly evidence?: unknown
  /** Removes it. Further calls do nothing. */
  lift(): void
}

/** A veto as the live view and `explain` show it. */
export type VetoView = Pick<Veto, 'by' | 'reason' | 'hard' | 'since'> & Partial<Pick<Veto, 'evidence'>>

/** The data of a veto. */
export function viewOfVeto({ by, reason, hard, since, evidence }: Veto): VetoView {
  return { by, reason, hard, since, ...(evidence !== undefined && { evidence }) }
}

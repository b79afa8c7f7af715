/** What a veto says. */
export interface VetoOptions {
  /** Who says so, e.g. `health-check`. */
  readonly by: string
  /** Why, for the one who is woken at night. */
  readonly reason: string
  /** An order (drain, maintenance), which panic never overrides; otherwise an opinion, which it does. Default false. */
  readonly hard?: boolean
  /** Lifted by itself after so many ms; without it, only by its handle. */
  readonly ttl?: number
  /** What the reason rests on: plain data, shown wherever the veto is. */
  readonly evidence?: unknown
}

/** A reason, with an owner, not to use a backend. */
export interface Veto {
  readonly by: string
  readonly reason: string
  readonly hard: boolean
  /** When it was laid, in ms since the epoch. */
  readonly since: number
  readonly evidence?: unknown
  /** Takes it back. Calling it again does nothing. */
  lift(): void
}

/** A veto as the live view and `explain` show it. */
export type VetoView = Pick<Veto, 'by' | 'reason' | 'hard' | 'since'> & Partial<Pick<Veto, 'evidence'>>

/** What of a veto is data. */
export function viewOfVeto({ by, reason, hard, since, evidence }: Veto): VetoView {
  return { by, reason, hard, since, ...(evidence !== undefined && { evidence }) }
}

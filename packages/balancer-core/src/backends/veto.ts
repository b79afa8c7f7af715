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
  /** The operator who ordered it, if one did. */
  readonly who?: string
  /** When its owner will lift it, in ms since the epoch. Default: after its `ttl`. */
  readonly until?: number
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
  /** The operator who ordered it, if one did. */
  readonly who?: string | undefined
  /**
   * When it ends by itself, in ms since the epoch; of a drain, its deadline. Undefined if that is open. Its owner changes it
   * with what it says.
   */
  until?: number | undefined
  readonly evidence?: unknown
  /** Removes it. Further calls do nothing. */
  lift(): void
}

/** A veto as the live view and `explain` show it. */
export type VetoView = Pick<Veto, 'by' | 'reason' | 'hard' | 'since'> & {
  readonly who?: string
  readonly until?: number
  readonly evidence?: unknown
}

/** The data of a veto. */
export function viewOfVeto({ by, reason, hard, since, who, until, evidence }: Veto): VetoView {
  return {
    by,
    reason,
    hard,
    since,
    ...(who !== undefined && { who }),
    ...(until !== undefined && { until }),
    ...(evidence !== undefined && { evidence }),
  }
}

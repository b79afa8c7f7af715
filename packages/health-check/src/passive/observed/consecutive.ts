/** Counters of failures in a row: of any kind, of gateway statuses, of failed connects. */
export type ConsecutiveKind = 'failures' | 'gateway' | 'unreached'

/** Limit for each kind; 0 = off. */
export type ConsecutiveLimits = Readonly<Record<ConsecutiveKind, number>>

/** In order of precedence: an ejection for `unreached` is one that a probe can disprove. */
const kinds = ['unreached', 'gateway', 'failures'] as const satisfies readonly ConsecutiveKind[]

/**
 * Failures in a row. As in Envoy, any other result ends a row of gateway failures, and a successful connect ends a row
 * of failed ones.
 */
export class Consecutive {
  failures = 0
  gateway = 0
  unreached = 0

  /** `status` is 0 without a response; `started`: a byte may have been sent. */
  fail(status: number, started: boolean): void {
    this.failures++
    this.gateway = status >= 502 && status <= 504 ? this.gateway + 1 : 0
    this.unreached = started ? 0 : this.unreached + 1
  }

  reset(): void {
    this.failures = 0
    this.gateway = 0
    this.unreached = 0
  }

  /** Which limit is reached, if any; a limit of 0 is off. */
  reached(limits: ConsecutiveLimits): ConsecutiveKind | undefined {
    for (const kind of kinds) if (limits[kind] > 0 && this[kind] >= limits[kind]) return kind
    return undefined
  }
}

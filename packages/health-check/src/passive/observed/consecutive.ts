/** Which counter of consecutive failures: of any kind, of gateway statuses, of attempts that did not reach the backend. */
export type ConsecutiveKind = 'failures' | 'gateway' | 'unreached'

/** How many of a kind are too many; 0 = any number is not. */
export type ConsecutiveLimits = Readonly<Record<ConsecutiveKind, number>>

/** The most telling first: a veto for `unreached` is one that a probe can refute. */
const kinds = ['unreached', 'gateway', 'failures'] as const satisfies readonly ConsecutiveKind[]

/**
 * How often in a row it failed. As in Envoy, what is no gateway failure breaks a row of them, and what reached the
 * backend breaks a row of attempts that did not.
 */
export class Consecutive {
  failures = 0
  gateway = 0
  unreached = 0

  /** `status` is 0 without a response; `started` says that a byte may have been sent. */
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

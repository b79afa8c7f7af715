/** For how long an outlier is ejected. */
export interface EjectTimeOptions {
  /** The first time, in ms; n times as long the nth time. */
  readonly ejectFor: number
  /** At most so long, in ms. */
  readonly maxEjectFor: number
  /** Up to this share is added by chance. */
  readonly jitter: number
}

/**
 * How often a backend was ejected lately, and so for how long next time: the base time × the count, at most the cap, as
 * in Envoy; never a cap below the base time. What chance adds comes on top of the cap.
 */
export class EjectTime {
  /** How often; falls by one with each good interval. */
  times = 0

  /** Once more: answers for how many ms. */
  next({ ejectFor, maxEjectFor, jitter }: EjectTimeOptions, random: () => number): number {
    this.times++
    const duration = Math.min(ejectFor * this.times, Math.max(maxEjectFor, ejectFor))
    return Math.round(duration * (1 + jitter * random()))
  }

  /** A whole interval in which it could be used, and did nothing wrong. */
  forgive(): void {
    if (this.times > 0) this.times--
  }
}

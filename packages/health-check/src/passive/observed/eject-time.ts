/** For how long an outlier is ejected. */
export interface EjectTimeOptions {
  /** The first time, in ms; n times as long the nth time. */
  readonly ejectFor: number
  /** Upper limit, in ms. */
  readonly maxEjectFor: number
  /** Up to this share is added at random. */
  readonly jitter: number
}

/**
 * Counts recent ejections of a backend, which decide the length of the next: base time × count, at most the cap, as in
 * Envoy; the cap is never below the base time. The random part comes on top of the cap.
 */
export class EjectTime {
  /** Number of recent ejections; minus one after each good interval. */
  times = 0
  /** Number of all ejections so far. */
  ever = 0

  /** Counts one more; returns its length in ms. */
  next({ ejectFor, maxEjectFor, jitter }: EjectTimeOptions, random: () => number): number {
    this.times++
    this.ever++
    const duration = Math.min(ejectFor * this.times, Math.max(maxEjectFor, ejectFor))
    return Math.round(duration * (1 + jitter * random()))
  }

  /** To be called after a whole interval in rotation without an offence. */
  forgive(): void {
    if (this.times > 0) this.times--
  }
}

/** How long a circuit stays open. */
export interface OpenTimeOptions {
  /** The first time, in ms, at least 1. */
  readonly openFor: number
  /** Each further time in a row is this many times as long, at least 1. */
  readonly growth: number
  /** No longer than this, in ms; or than `openFor`, if that is longer (as Envoy's `max_ejection_time`). */
  readonly maxOpenFor: number
  /** Random variation by up to this share, 0 to 1, so that many circuits do not close at once. */
  readonly jitter: number
}

/** How long the nth opening in a row lasts, in ms. `draw` is random, from 0 up to 1. */
export function openTime(
  { openFor, growth, maxOpenFor, jitter }: OpenTimeOptions,
  openings: number,
  draw: number,
): number {
  const longest = Math.max(maxOpenFor, openFor)
  const plain = Math.min(openFor * growth ** (openings - 1), longest)
  const jittered = plain * (1 + jitter * (2 * draw - 1))
  // A value above the maximum is mirrored below it: with a plain cap, half of a fleet would come back at the same
  // instant.
  return jittered > longest ? 2 * longest - jittered : jittered
}

/** Openings in a row, and how long the last of them lasts, in ms. */
export class Openings {
  count = 0
  lasts = 0
  /** On the circuit's clock. */
  until = 0

  /** One more, at `at` on the circuit's clock; `draw` from 0 up to 1. */
  begin(at: number, figures: OpenTimeOptions, draw: number): void {
    this.count++
    this.lasts = openTime(figures, this.count, draw)
    this.until = at + this.lasts
  }

  /** Forgets earlier openings. */
  forgive(): void {
    this.count = this.lasts = 0
  }
}

/** What is known of the set when one more backend is to be left alone. */
export interface CeilingQuestion {
  /** All backends. */
  readonly total: number
  /** Those that passive checks keep out, this one not among them. */
  readonly out: number
  /** Those without a veto by anybody, this one not counted. */
  readonly others: number
}

/** How many of `total` may be out at once. */
export function mostOut(total: number, maxEjected: number): number {
  // 0.29 times 100 is a little less than 29.
  return Math.floor(maxEjected * total + 1e-9)
}

/**
 * May one more be out? Not above `maxEjected`, a share of all (gRPC A50 looks before it ejects and may exceed it by one;
 * this does not), and not if nobody else is left.
 */
export function fitsCeiling({ total, out, others }: CeilingQuestion, maxEjected: number): boolean {
  return others > 0 && out < mostOut(total, maxEjected)
}

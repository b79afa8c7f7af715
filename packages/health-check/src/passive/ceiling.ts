/** What is known of the set when one more backend is to be left alone. */
export interface CeilingQuestion {
  /** All backends. */
  readonly total: number
  /** Those that passive checks keep out, this one not among them. */
  readonly out: number
  /** Somebody else has no veto by anybody. */
  readonly hasOther: boolean
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
export function fitsCeiling({ total, out, hasOther }: CeilingQuestion, maxEjected: number): boolean {
  return hasOther && out < mostOut(total, maxEjected)
}

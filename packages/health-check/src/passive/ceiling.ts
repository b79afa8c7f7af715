/** The state of the set when one more backend is to be taken out. */
export interface CeilingQuestion {
  /** All backends. */
  readonly total: number
  /** How many others passive checks keep out. */
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
 * May one more be out? Not above `maxEjected`, a share of all (never exceeded, unlike in gRPC A50, which may by one),
 * and not if no other healthy backend is left.
 */
export function fitsCeiling({ total, out, hasOther }: CeilingQuestion, maxEjected: number): boolean {
  return hasOther && out < mostOut(total, maxEjected)
}

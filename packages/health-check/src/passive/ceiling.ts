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

/** Why one more must not be out. */
interface CeilingReached {
  readonly obstacle: 'ceiling' | 'last'
  readonly text: string
}

/** What stands against one more being out, in words; undefined if nothing does. See `fitsCeiling`. */
export function ceilingReached(question: CeilingQuestion, maxEjected: number): CeilingReached | undefined {
  if (fitsCeiling(question, maxEjected)) return undefined
  const { total, out, hasOther } = question
  if (!hasOther) return { obstacle: 'last', text: 'no other backend is healthy' }
  const most = mostOut(total, maxEjected)
  const rule = `maxEjected (${maxEjected}) allows ${most === 0 ? 'none' : most} of ${total} backends`
  return { obstacle: 'ceiling', text: out === 0 ? rule : `${rule}, and ${out} ${out === 1 ? 'is' : 'are'} out already` }
}

/**
 * May one more be out? Not above `maxEjected`, a share of all (never exceeded, unlike in gRPC A50, which may by one),
 * and not if no other healthy backend is left.
 */
export function fitsCeiling({ total, out, hasOther }: CeilingQuestion, maxEjected: number): boolean {
  return hasOther && out < mostOut(total, maxEjected)
}

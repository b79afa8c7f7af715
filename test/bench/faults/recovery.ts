/** When to look. */
export interface Period {
  /** ms */
  readonly from: number
  /** ms */
  readonly until: number
}

/** ms */
const windowLength = 1000
/** ms */
const step = 50
/** Of four, each of which should get a quarter. */
const fairShare = 0.15

/** ms to the beginning of the first second of which no request failed; undefined = never. `failures`: ms, in order. */
export function flawlessAfter(failures: readonly number[], { from, until }: Period): number | undefined {
  let since = from
  for (const at of failures) {
    if (at < from) continue
    if (at - since >= windowLength) break
    since = at
  }
  return since + windowLength <= until ? since - from : undefined
}

/**
 * ms to the beginning of the first second in which every backend got 15 % of the requests, and all together at least
 * half of what clients sent; undefined = never. `rate`: requests a second.
 */
export function sharedAfter(
  arrivals: readonly (readonly number[])[],
  { from, until, rate }: Period & { readonly rate: number },
): number | undefined {
  for (let start = from; start + windowLength <= until; start += step) {
    const counts = countsWithin(arrivals, { from: start, until: start + windowLength })
    const total = counts.reduce((sum, count) => sum + count, 0)
    const enough = total >= (rate * windowLength) / 1000 / 2
    if (enough && counts.every((count) => count >= fairShare * total)) return start - from
  }
  return undefined
}

/** How often as many requests the busiest got as the idlest; undefined when one got none. */
export function unevenness(arrivals: readonly (readonly number[])[], period: Period): number | undefined {
  const counts = countsWithin(arrivals, period)
  const least = Math.min(...counts)
  return least === 0 ? undefined : Math.max(...counts) / least
}

/** How many of each list lie in the period, its end not included. */
export function countsWithin(lists: readonly (readonly number[])[], { from, until }: Period): number[] {
  return lists.map((list) => list.filter((at) => at >= from && at < until).length)
}

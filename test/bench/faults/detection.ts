/** The requests that reached a sick backend, among all. */
export interface SickTraffic {
  /** When each reached it (ms), in order. */
  readonly arrivals: readonly number[]
  /** Requests a second that clients send, to all backends together. */
  readonly rate: number
  /** The fault, ms. */
  readonly since: number
  /** When clients sent no more, ms. */
  readonly until: number
}

/** ms */
const windowLength = 500
/** A backend that gets no more than one in 50, 2 %, is as good as left out: a trial now and then, and probes, are below it. */
const oneIn = 50
/** ms: so long it must have been left out to be believed. */
const settled = 1000

/** Between fault and end. */
function duringFault({ arrivals, since, until }: SickTraffic): readonly number[] {
  return arrivals.filter((at) => at >= since && at <= until)
}

/** How many it may get in a window. */
function allowance(rate: number): number {
  return Math.floor((rate * windowLength) / 1000 / oneIn)
}

/** ms from the fault to the first half second in which it got 2 % of the requests at most; undefined = never. */
export function noticedAfter(traffic: SickTraffic): number | undefined {
  const { since, until, rate } = traffic
  const arrivals = duringFault(traffic)
  const allowed = allowance(rate)
  let from = since
  for (const [index, at] of arrivals.entries()) {
    // `index` have come before: is this window left before there are too many?
    const tooMany = arrivals[index + allowed]
    if (tooMany === undefined || tooMany > from + windowLength) break
    from = at
  }
  return from + windowLength <= until ? from - since : undefined
}

/**
 * ms from the fault to the last moment at which it had got more than 2 % of the requests of half a second; undefined when
 * that was within the last second: it would have come back.
 */
export function goneAfter(traffic: SickTraffic): number | undefined {
  const { since, until, rate } = traffic
  const arrivals = duringFault(traffic)
  const allowed = allowance(rate)
  const last = arrivals.findLast((at, index) => at - (arrivals[index - allowed] ?? -Infinity) < windowLength)
  if (last === undefined) return 0
  return last <= until - settled ? last - since : undefined
}

import type { OpenTimeOptions } from './open-time.ts'
import type { TripRule } from '../trip/trip-rule.ts'

/**
 * `closed`: calls go, and are counted. `open`: none goes. `half-open`: a few go, as trials. `isolated`: held open by
 * hand.
 */
export type CircuitState = 'closed' | 'open' | 'half-open' | 'isolated'

/** The figures that a circuit goes by. */
export interface CircuitFigures extends OpenTimeOptions {
  /** Trials that may run at once while half-open, at least 1. */
  readonly trials: number
  /** Trials that must succeed before it closes, at least 1. */
  readonly needed: number
  /** A trial that takes longer, from when its time began, has failed; in ms, 0 = it may take for ever. */
  readonly trialTimeout: number
}

/** What a circuit goes by; all of it has a default, see `circuitDefaults`. */
export interface CircuitOptions extends Partial<CircuitFigures> {
  /** When it opens; it must not be shared with another circuit. Default: after 3 failures no further than 10 s apart. */
  readonly trip?: TripRule
  /** Which errors of `run` count as failures; the others say nothing. Default: all. */
  readonly counts?: (error: unknown) => boolean
  /** Milliseconds of a monotonic clock. Default: `performance.now`. */
  readonly now?: () => number
  /** 0 ≤ x < 1. Default: `Math.random`. */
  readonly random?: () => number
  /** Hears of each change of the state, with the rule that decided. It has happened by then. */
  readonly onChange?: (state: CircuitState, before: CircuitState, reason: string) => void
}

/** The defaults, in ms where they are durations: of a circuit, and of when it opens. */
export const circuitDefaults = {
  failures: 3,
  window: 10_000,
  openFor: 10_000,
  growth: 2,
  maxOpenFor: 300_000,
  jitter: 0.1,
  trials: 1,
  needed: 1,
  trialTimeout: 30_000,
} as const

const least = { openFor: 1, growth: 1, maxOpenFor: 1, jitter: 0, trials: 1, needed: 1, trialTimeout: 0 }

const finite = Number.MAX_VALUE
const most: Partial<CircuitFigures> = { openFor: finite, growth: finite, maxOpenFor: finite, jitter: 1, needed: finite }

/** Fills in what is not given. @throws RangeError for a figure with which a circuit might never close again */
export function figuresOf(given: Partial<CircuitFigures>): CircuitFigures {
  const entries = (Object.keys(least) as (keyof CircuitFigures)[]).map((name) => {
    const figure = given[name] ?? circuitDefaults[name]
    if (!(figure >= least[name])) throw new RangeError(`${name}: expected a number of at least ${least[name]}`)
    const limit = most[name]
    if (limit !== undefined && figure > limit)
      throw new RangeError(`${name}: expected ${limit === finite ? 'a finite number' : `${limit} at most`}`)
    return [name, figure] as const
  })
  return Object.fromEntries(entries) as unknown as CircuitFigures
}

import type { OpenTimeOptions } from './open-time.ts'
import type { TripRule } from '../trip/trip-rule.ts'

/**
 * `closed`: calls are admitted and counted. `open`: none is admitted. `half-open`: a few are, as trials. `isolated`:
 * held open by hand.
 */
export type CircuitState = 'closed' | 'open' | 'half-open' | 'isolated'

/** Numeric settings of a circuit. */
export interface CircuitFigures extends OpenTimeOptions {
  /** Trials that may run at once while half-open, at least 1. */
  readonly trials: number
  /** Trials that must succeed before it closes, at least 1. */
  readonly needed: number
  /** A trial that takes longer, counted from when its time began, has failed; in ms, 0 = no limit. */
  readonly trialTimeout: number
}

/** Options of a circuit; all have defaults, see `circuitDefaults`. */
export interface CircuitOptions extends Partial<CircuitFigures> {
  /** Rule for opening; not to be shared with another circuit. Default: after 3 failures no further than 10 s apart. */
  readonly trip?: TripRule
  /** Which errors of `run` count as failures; the others do not count at all. Default: all. */
  readonly counts?: (error: unknown) => boolean
  /** Milliseconds of a monotonic clock. Default: `performance.now`. */
  readonly now?: () => number
  /** 0 ≤ x < 1. Default: `Math.random`. */
  readonly random?: () => number
  /** Called after each change of the state, with its reason. */
  readonly onChange?: (state: CircuitState, before: CircuitState, reason: string) => void
}

/** The defaults of a circuit and of its rule for opening; durations in ms. */
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

/** Fills in defaults. @throws RangeError for a value with which a circuit might never close again */
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

import type { Observation } from '../observed/observation.ts'
import type { Offence } from '../observed/offence.ts'
import { successRateOffence } from './offences.ts'
import type { SuccessRateOptions } from './outlier-options.ts'
import { lowShares, successRateLimit } from './success-rate.ts'

/** An offence of a backend. */
export interface Accusation {
  readonly observation: Observation
  readonly offence: Offence
}

/** Backends with too low a success rate in the last interval, the worst first. */
export function rateAccusations(all: readonly Observation[], options: SuccessRateOptions): Accusation[] {
  const { stdev, minimumBackends, minimumVolume } = options
  if (stdev === 0) return []
  const judged = all.filter(({ counts }) => counts.ended.attempts >= minimumVolume)
  if (judged.length < minimumBackends) return []
  const shares = judged.map(({ counts }) => 1 - counts.ended.failures / counts.ended.attempts)
  const limit = successRateLimit(shares, stdev)
  return lowShares(shares, limit).map((index) => {
    const observation = judged[index]!
    const { attempts } = observation.counts.ended
    return { observation, offence: successRateOffence(shares[index]!, attempts, limit, observation.recent) }
  })
}

import type { Observation } from '../observed/observation.ts'
import { latencyLimit } from './latency-rule.ts'
import { latencyOffence } from './offences.ts'
import type { OutlierOptions } from './outlier-options.ts'
import type { Accusation } from './rate-judgement.ts'
import { silence, type Look } from './silence.ts'

/** The offences found, and the lowest limit of all backends. */
export interface LatencyJudgement {
  readonly accusations: readonly Accusation[]
  /** In ms; undefined if there are too few backends to compare. */
  readonly limit: number | undefined
}

/**
 * Hanging backends, then slow ones, the slowest first. The p90 of a backend that was observed for less than an interval
 * is used for comparison, but not judged: it is cold, and has few requests.
 */
export function judgeLatency(
  all: readonly Observation[],
  look: Look,
  { latency, interval }: OutlierOptions,
): LatencyJudgement {
  if (latency.factor === 0) return { accusations: [], limit: undefined }
  const p90s = new Map<Observation, number>()
  for (const observation of all) {
    if (observation.counts.measured >= latency.minimumVolume) p90s.set(observation, observation.counts.p90!)
  }
  const sorted = [...p90s.values()].sort((a, b) => a - b)
  const answeredAt = all.reduce((latest, observation) => Math.max(latest, observation.answeredAt), -Infinity)

  let least: number | undefined
  const silent: Accusation[] = []
  const slow: (Accusation & { readonly excess: number })[] = []
  for (const observation of all) {
    const p90 = p90s.get(observation)
    const limit = latencyLimit(sorted, p90, latency)
    if (limit === undefined) {
      observation.silentAt = undefined
      continue
    }
    least = Math.min(least ?? Infinity, limit.limit)
    const offence = silence(observation, look, answeredAt, limit, latency)
    if (offence !== undefined) silent.push({ observation, offence })
    else if (p90 !== undefined && p90 > limit.limit && look.now - observation.watchedFrom >= interval) {
      const { measured } = observation.counts
      slow.push({ observation, offence: latencyOffence(p90, measured, limit), excess: p90 / limit.limit })
    }
  }
  slow.sort((a, b) => b.excess - a.excess)
  return { accusations: [...silent, ...slow], limit: least }
}

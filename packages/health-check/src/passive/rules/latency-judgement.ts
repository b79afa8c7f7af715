import type { Observation } from '../observed/observation.ts'
import { latencyLimit } from './latency-rule.ts'
import { latencyOffence } from './offences.ts'
import type { OutlierOptions } from './outlier-options.ts'
import type { Accusation } from './rate-judgement.ts'
import { silence, type Look } from './silence.ts'

/** Who is accused, and what was the least that all were held to. */
export interface LatencyJudgement {
  readonly accusations: readonly Accusation[]
  /** In ms; undefined where too few are known to be compared. */
  readonly limit: number | undefined
}

/**
 * Those that are silent, then those that are slow, the slowest first. The p90 of one that
 * has been watched for less than an interval is used, but not judged: a newcomer is cold, and a few requests say little.
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

import { latencyLimit, type LatencyLimit } from './latency-rule.ts'
import type { Observation } from '../observed/observation.ts'
import type { Offence } from '../observed/offence.ts'
import { latencyOffence, silenceOffence } from './offences.ts'
import type { LatencyOptions, OutlierOptions } from './outlier-options.ts'
import type { Accusation } from './rate-judgement.ts'

/** When it is looked, on the clock in ms. */
export interface Moment {
  readonly now: number
  /** When this process last came back from a pause; -Infinity if it never stood still. */
  readonly resumedAt: number
}

/**
 * Does it take requests and answer none? So many that it was sent since its last answer wait longer than the limit; if it is
 * full, it can be sent no more, and all count. Time is counted up to the last answer of anybody: when all are silent, it is this
 * process that has stood still, or the network.
 */
function silence(
  observation: Observation,
  { now, resumedAt }: Moment,
  lastAnswerAt: number,
  limit: LatencyLimit,
  { minimumWaiting }: LatencyOptions,
): Offence | undefined {
  const { backend, waiting, answeredAt, countsFrom } = observation
  const required = Math.min(minimumWaiting, backend.maxInFlight)
  if (waiting.size < required) return undefined
  const until = lastAnswerAt - limit.limit
  const isFull = backend.inFlight >= backend.maxInFlight && waiting.size * 2 > backend.inFlight
  if (isFull && answeredAt >= until) return undefined
  const { count, oldest } = waiting.begun({
    from: countsFrom,
    since: isFull ? -Infinity : answeredAt,
    until,
    resumedAt,
  })
  return count < required ? undefined : silenceOffence(count, now - oldest, limit)
}

/** Found silent at two looks in a row, with no answer between: a short stall is no reason. */
function confirmed(
  observation: Observation,
  { now, resumedAt }: Moment,
  offence: Offence | undefined,
): Offence | undefined {
  const { silentAt, answeredAt } = observation
  if (offence === undefined) observation.silentAt = undefined
  else if (silentAt === undefined || Math.max(answeredAt, resumedAt) >= silentAt) observation.silentAt = now
  else return offence
  return undefined
}

/**
 * Those that are silent, then those that are slow, the slowest first. The p90 of one that
 * has been watched for less than an interval is used, but not judged: a newcomer is cold, and a few requests say little.
 */
export function latencyAccusations(
  all: readonly Observation[],
  moment: Moment,
  { latency, interval }: OutlierOptions,
): Accusation[] {
  if (latency.factor === 0) return []
  const p90s = new Map<Observation, number>()
  for (const observation of all) {
    if (observation.counts.measured >= latency.minimumVolume) p90s.set(observation, observation.counts.p90!)
  }
  const sorted = [...p90s.values()].sort((a, b) => a - b)
  const answeredAt = all.reduce((latest, observation) => Math.max(latest, observation.answeredAt), -Infinity)

  const silent: Accusation[] = []
  const slow: (Accusation & { readonly excess: number })[] = []
  for (const observation of all) {
    const p90 = p90s.get(observation)
    const limit = latencyLimit(sorted, p90, latency)
    if (limit === undefined) {
      observation.silentAt = undefined
      continue
    }
    const suspicion = silence(observation, moment, answeredAt, limit, latency)
    const offence = confirmed(observation, moment, suspicion)
    if (offence !== undefined) silent.push({ observation, offence })
    else if (p90 !== undefined && p90 > limit.limit && moment.now - observation.watchedFrom >= interval) {
      const { measured } = observation.counts
      slow.push({ observation, offence: latencyOffence(p90, measured, limit), excess: p90 / limit.limit })
    }
  }
  slow.sort((a, b) => b.excess - a.excess)
  return [...silent, ...slow]
}

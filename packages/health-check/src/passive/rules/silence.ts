import type { Attempt } from '@fastify-balancer/balancer-core'
import type { Observation } from '../observed/observation.ts'
import type { Offence } from '../observed/offence.ts'
import type { LatencyLimit } from './latency-rule.ts'
import { silenceOffence } from './offences.ts'
import type { LatencyOptions } from './outlier-options.ts'

/** The state at a check; times on the clock, in ms. */
export interface Look {
  readonly now: number
  /** End of the last pause of this process; -Infinity without any. */
  readonly resumedAt: number
  /** Is this wait (ms) usual for the attempt's path? Used only if probes cannot tell. */
  readonly explains: (attempt: Attempt, waited: number) => boolean
  /** Probes a backend, if there are probes that can tell. */
  readonly probe: ((observation: Observation) => void) | undefined
}

const never = () => false

/** A probe that takes this many times as long as recent ones counts as unanswered. */
const patience = 2

/**
 * Does it hang? True if enough requests sent since its last response have waited longer than the limit; if it is full,
 * and can get no more requests, all of them count. If probes cannot tell, known long polls do not count. Time counts up
 * to the latest response of any backend: if none responds, this process or the network is the cause.
 */
function suspicion(
  observation: Observation,
  { now, resumedAt, explains, probe }: Look,
  lastAnswerAt: number,
  limit: LatencyLimit,
  { minimumWaiting }: LatencyOptions,
): Offence | undefined {
  const { backend, waiting, answeredAt, countsFrom } = observation
  const required = Math.min(minimumWaiting, backend.limit)
  if (waiting.size < required) return undefined
  const until = lastAnswerAt - limit.limit
  const isFull = backend.inFlight >= backend.limit && waiting.size * 2 > backend.inFlight
  if (isFull && answeredAt >= until) return undefined
  const since = isFull ? -Infinity : answeredAt
  const { count, oldest } = waiting.begun({
    from: countsFrom,
    since,
    until,
    resumedAt,
    now,
    explains: probe === undefined ? explains : never,
  })
  return count < required ? undefined : silenceOffence(count, now - oldest, limit)
}

/**
 * Hanging at two checks in a row, without a response in between, so that a short stall is no reason. At the first check
 * it is probed, if possible; if it answers the probe, it does not hang but has slow requests.
 */
export function silence(
  observation: Observation,
  look: Look,
  lastAnswerAt: number,
  limit: LatencyLimit,
  options: LatencyOptions,
): Offence | undefined {
  const { now, resumedAt, probe } = look
  const offence = suspicion(observation, look, lastAnswerAt, limit, options)
  const { silentAt, answeredAt, goodProbeAt, probeTime } = observation
  if (offence === undefined) observation.silentAt = undefined
  else if (silentAt === undefined || Math.max(answeredAt, goodProbeAt, resumedAt) >= silentAt) {
    observation.silentAt = now
    probe?.(observation)
  } else if (probe === undefined || now - silentAt >= patience * probeTime) return offence
  return undefined
}

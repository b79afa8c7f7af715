import type { Attempt } from '@fastify-balancer/balancer-core'
import type { Observation } from '../observed/observation.ts'
import type { Offence } from '../observed/offence.ts'
import type { LatencyLimit } from './latency-rule.ts'
import { silenceOffence } from './offences.ts'
import type { LatencyOptions } from './outlier-options.ts'

/** What is known when it is looked; times are on the clock, in ms. */
export interface Look {
  readonly now: number
  /** When this process last came back from a pause; -Infinity if it never stood still. */
  readonly resumedAt: number
  /** Is it known that the path of this attempt takes so many ms? Asked only where no probe can tell. */
  readonly explains: (attempt: Attempt, waited: number) => boolean
  /** Asks a backend whether it is well, where there are probes that can tell. */
  readonly probe: ((observation: Observation) => void) | undefined
}

const never = () => false

/** A probe that takes so many times as long as one did lately has not been answered. */
const patience = 2

/**
 * Does it take requests and answer none? So many that it was sent since its last answer wait longer than the limit; if it is
 * full, it can be sent no more, and all count. Where no probe can tell, long polls do not, if it is known that they are.
 * Time is counted up to the last answer of anybody: when all are silent, it is this process that has stood still, or the
 * network.
 */
function suspicion(
  observation: Observation,
  { now, resumedAt, explains, probe }: Look,
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
 * Found silent at two looks in a row, with no answer between: a short stall is no reason. At the first of them it is
 * probed, where it can be; one that answers that is not silent: it happens to have requests that take long.
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

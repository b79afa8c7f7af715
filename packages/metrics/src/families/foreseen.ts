// Series that exist with 0 before anything has happened: a counter that appears with its first burst hides that burst from
// Prometheus' `rate()`, which needs a value before it.
import type { Balancer, FailureReason, Outcome, TunnelEnd } from '@fastify-balancer/balancer-core'

type Failures = Balancer['failures']

/** An outcome of a request, with the places of its foreseen status classes in `StatusCounts`. */
type ForeseenOutcome = readonly [outcome: Outcome, places: readonly number[]]

/** What an ordinary backend can do wrong. Each further reason begins with its first failure: see `mostForeseen`. */
const usualReasons: readonly FailureReason[] = [
  'connect-refused',
  'connect-timeout',
  'reset-before-headers',
  'headers-timeout',
  'body-truncated',
]

/** The outcomes of attempts that every backend has, with 0. */
export const usualOutcomes: Readonly<Partial<Record<Outcome, number>>> = Object.fromEntries(
  ['ok', ...usualReasons].map((outcome) => [outcome, 0]),
)

/** The places of 200–299 to 500–599 in `StatusCounts`. */
export const responsePlaces: readonly number[] = [2, 3, 4, 5]

/** Why tunnels close, each with 0. */
export const noTunnelEnds: Readonly<Record<TunnelEnd, number>> = {
  client: 0,
  backend: 0,
  idle: 0,
  linger: 0,
  'max-age': 0,
  drain: 0,
  shutdown: 0,
  operator: 0,
}

/** Failures that mostly happen after the client has got a status, which was a good one. */
const midway: ReadonlySet<FailureReason> = new Set([
  'body-timeout',
  'body-truncated',
  'client-gone',
  'client-stalled',
] as const)

/** 499 is in the log only: the client gets no status. */
function placeOf(status: number): number {
  return status === 499 ? 0 : Math.trunc(status / 100)
}

/** Every reason for which a request can fail. */
export function requestReasons(failures: Failures): FailureReason[] {
  return (Object.keys(failures) as FailureReason[]).filter((reason) => reason !== 'hedge-lost')
}

/** Every outcome of a request. */
export function requestOutcomes(failures: Failures): ForeseenOutcome[] {
  const failed = requestReasons(failures).map((reason): ForeseenOutcome => {
    const own = placeOf(failures[reason].status)
    return [reason, midway.has(reason) ? [own, 2] : [own]]
  })
  return [['ok', [1, ...responsePlaces]], ...failed]
}

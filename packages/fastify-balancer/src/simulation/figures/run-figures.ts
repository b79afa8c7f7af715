import type { Scenario } from '../scenario/scenario.ts'
import { latencyFigures, quantileOf, type LatencyFigures, type Measurements } from './measurements.ts'
import type { Usage } from './usage.ts'

/** What one backend got. */
export interface BackendFigures {
  readonly id: string
  /** The name of those in the scenario that are alike. */
  readonly kind: string
  /** Attempts after the warm-up, and their share of all, 0 to 1. */
  readonly attempts: number
  readonly share: number
  /** The longest time in which it could have had a request and got none, in ms. */
  readonly starved: number
}

/** What came of a scenario with one policy. Latencies, throughput, errors and shares leave out the warm-up. */
export interface RunFigures {
  readonly policy: string
  /** Of requests that were answered with a status below 500, in ms. */
  readonly latency: LatencyFigures
  /** Their latencies at more quantiles, in percent, for a chart. */
  readonly curve: readonly { readonly percent: number; readonly latency: number }[]
  /** Such answers per second. */
  readonly throughput: number
  /** All requests, from the beginning: those that came, that got an answer of any status, that failed, and the rest. */
  readonly arrived: number
  readonly completed: number
  readonly failed: number
  readonly inFlight: number
  /** Share of requests that failed, or got a status of 500 and more: 0 to 1. */
  readonly errorShare: number
  /** How many, by reason or status. */
  readonly errors: Readonly<Record<string, number>>
  /** Share of requests that were sent more than once: 0 to 1. */
  readonly retriedShare: number
  readonly backends: readonly BackendFigures[]
  /** The longest of the backends' `starved`, in ms. */
  readonly starved: number
  /** See `movedKeys`; undefined for a policy without keys. */
  readonly movedKeys?: number
}

/** What came of a simulation: one result for each policy, in the order given. */
export interface SimulationFigures {
  readonly seed: number
  /** In ms. */
  readonly duration: number
  readonly warmUp: number
  readonly runs: readonly RunFigures[]
}

const percents = [50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99] as const

/** Only as far as there are requests beyond. */
function curveOf(sorted: Float64Array): RunFigures['curve'] {
  return percents
    .filter((percent) => (1 - percent / 100) * sorted.length >= 1)
    .map((percent) => ({ percent, latency: quantileOf(sorted, percent) }))
}

/** Every server there ever was. */
function serversOf({ backends, changes }: Scenario): ReadonlyMap<string, { readonly kind: string }> {
  const added = changes.flatMap((change) => (change.kind === 'add' ? change.backends : []))
  return new Map([...backends, ...added].map((one) => [one.id, one]))
}

/** The result of a run that is over. */
export function runFigures(
  policy: string,
  scenario: Scenario,
  measurements: Measurements,
  usage: Usage,
  inFlight: number,
  moved: number | undefined,
): RunFigures {
  const { arrived, completed, failed, measured, retried, errors } = measurements
  const sorted = measurements.latencies
  const uses = usage.byName
  const attempts = [...uses.values()].reduce((sum, one) => sum + one.attempts, 0)
  const backends = [...serversOf(scenario)].map(([id, { kind }]) => {
    const use = uses.get(id) ?? { attempts: 0, starved: 0 }
    return { id, kind, attempts: use.attempts, share: use.attempts / Math.max(1, attempts), starved: use.starved }
  })
  return {
    policy,
    latency: latencyFigures(sorted),
    curve: curveOf(sorted),
    throughput: sorted.length / ((scenario.duration - scenario.warmUp) / 1000),
    arrived,
    completed,
    failed,
    inFlight,
    errorShare: (measured - sorted.length) / Math.max(1, measured),
    errors: Object.fromEntries([...errors].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    retriedShare: retried / Math.max(1, measured),
    backends,
    starved: Math.max(0, ...backends.map(({ starved }) => starved)),
    ...(moved !== undefined && { movedKeys: moved }),
  }
}

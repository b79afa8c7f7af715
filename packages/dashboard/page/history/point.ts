/** Classes of statuses, as counted. */
export const statusClasses = ['2xx', '3xx', '4xx', '5xx'] as const
/** Responses by the class of their status. */
export type Responses = Readonly<Record<(typeof statusClasses)[number], number>>

/** A time in which something was measured. */
export interface Period {
  /** Its end, in ms since the epoch. */
  readonly at: number
  /** Its length. */
  readonly seconds: number
}

/** The traffic of a balancer in one period. */
export interface Point extends Period {
  readonly requests: number
  readonly failed: number
  readonly retries: number
  readonly responses: Responses
  /** Percentiles in ms; null without samples. */
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** No responses. */
export const noResponses: Responses = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 }

/** The responses of two periods. */
export function sumOf(one: Responses, other: Responses): Responses {
  const [all, more] = [one, other] as Record<string, number>[]
  return Object.fromEntries(statusClasses.map((name) => [name, all![name]! + more![name]!])) as unknown as Responses
}

type Percentile = 'p50' | 'p95' | 'p99'

/** An approximation, until the server tells the percentile of the whole period. */
function meanOf(points: readonly Point[], key: Percentile): number | null {
  let requests = 0
  let sum = 0
  for (const point of points) {
    const value = point[key]
    if (value === null) continue
    requests += point.requests
    sum += value * point.requests
  }
  return requests === 0 ? null : sum / requests
}

function joined(points: readonly Point[]): Point {
  if (points.length === 1) return points[0]!
  const total = (key: 'seconds' | 'requests' | 'failed' | 'retries') => points.reduce((all, one) => all + one[key], 0)
  return {
    at: points.at(-1)!.at,
    seconds: total('seconds'),
    requests: total('requests'),
    failed: total('failed'),
    retries: total('retries'),
    responses: points.reduce((all, { responses }) => sumOf(all, responses), noResponses),
    p50: meanOf(points, 'p50'),
    p95: meanOf(points, 'p95'),
    p99: meanOf(points, 'p99'),
  }
}

/** Points of `step` ms, each made of the shorter ones in it. */
export function coarser(points: readonly Point[], step: number): readonly Point[] {
  const steps: Point[][] = []
  let last = NaN
  for (const point of points) {
    const number = Math.ceil(point.at / step)
    if (number === last) steps.at(-1)!.push(point)
    else steps.push([point])
    last = number
  }
  return steps.map(joined)
}

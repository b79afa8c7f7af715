// Room `simulation/figures`: what came of a simulation: figures, a table, and a chart.
import type { Outcome } from '@fastify-balancer/balancer-core'
import type { SimulatedExchange } from '../traffic/exchange.ts'
import type { Counter } from '../traffic/arrivals.ts'

/** The quantiles that the table has, in percent. */
const quantiles = [50, 95, 99, 99.9] as const

/** Latencies of requests that were answered, in ms. */
export interface LatencyFigures {
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly 'p99.9': number
  readonly max: number
}

/** Numbers of which there may be millions. */
class Numbers {
  #values = new Float64Array(4096)
  #length = 0

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
  }

  get sorted(): Float64Array {
    return this.#values.slice(0, this.#length).sort()
  }
}

/** The value that `percent` of all do not exceed; 0 if there are none. `sorted` is in order. */
export function quantileOf(sorted: Float64Array, percent: number): number {
  // 99.9 % of 1 000 is a little more than 999 in floating point.
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length - 1e-9) - 1)] ?? 0
}

/** What is counted of one run. All of it, and what is measured: what ended after the warm-up. */
export class Measurements implements Counter {
  /** Requests that have come. */
  arrived = 0
  /** Requests that got an answer, of whatever status; and those that failed. */
  completed = 0
  failed = 0
  /** After the warm-up: those that ended, those that were sent again, and errors by their reason or status. */
  measured = 0
  retried = 0
  readonly errors = new Map<string, number>()
  readonly #latencies = new Numbers()
  readonly #begin: number

  /** `begin`: when the warm-up ends, on the clock in ms. */
  constructor(begin: number) {
    this.#begin = begin
  }

  onArrival(): void {
    this.arrived++
  }

  onEnd(exchange: SimulatedExchange): void {
    const { outcome, endedAt, startedAt, status, attempts } = exchange
    if (outcome === 'ok') this.completed++
    else this.failed++
    if (endedAt < this.#begin) return
    this.measured++
    if (attempts.length > 1) this.retried++
    const error = errorOf(outcome!, status)
    if (error === undefined) this.#latencies.add(endedAt - startedAt)
    else this.errors.set(error, (this.errors.get(error) ?? 0) + 1)
  }

  /** Of all that were answered, in order, in ms. */
  get latencies(): Float64Array {
    return this.#latencies.sorted
  }
}

/** What the client sees as an error: a failure, or a status of 500 and more. */
function errorOf(outcome: Outcome, status: number): string | undefined {
  if (outcome !== 'ok') return outcome
  return status >= 500 ? `status ${status}` : undefined
}

/** The figures of latencies in order. */
export function latencyFigures(sorted: Float64Array): LatencyFigures {
  const [p50, p95, p99, p999] = quantiles.map((percent) => quantileOf(sorted, percent))
  const sum = sorted.reduce((total, one) => total + one, 0)
  return {
    mean: sorted.length === 0 ? 0 : sum / sorted.length,
    p50: p50!,
    p95: p95!,
    p99: p99!,
    'p99.9': p999!,
    max: sorted.at(-1) ?? 0,
  }
}

import type { Figures } from './admin-api.ts'

/** Over how many of the server's periods, of a second each, figures are taken: with fewer they flicker. */
const periods = 5

/** What happened in the last seconds. */
export interface Traffic {
  /** Per second. */
  readonly rate: number
  /** Share of failed requests, from 0 to 1; undefined without requests. */
  readonly errors: number | undefined
  /** The highest of the p95 of each second (ms); undefined without responses. */
  readonly p95: number | undefined
}

type Counts = Pick<Figures, 'requests' | 'failed' | 'latency'>

function trafficOf(counts: readonly Counts[], seconds: number): Traffic {
  const requests = counts.reduce((sum, one) => sum + one.requests, 0)
  const failed = counts.reduce((sum, one) => sum + one.failed, 0)
  const latencies = counts.flatMap(({ latency }) => (latency === null ? [] : [latency.p95]))
  return {
    rate: seconds === 0 ? 0 : requests / seconds,
    errors: requests === 0 ? undefined : failed / requests,
    p95: latencies.length === 0 ? undefined : Math.max(...latencies),
  }
}

/** The last figures of each balancer. */
export class RecentTraffic {
  readonly #figures = new Map<string, readonly Figures[]>()

  add(figures: Figures): void {
    const before = this.#figures.get(figures.balancer) ?? []
    this.#figures.set(figures.balancer, [...before, figures].slice(-periods))
  }

  has(balancer: string): boolean {
    return this.#figures.has(balancer)
  }

  /** They would be of another time. */
  clear(): void {
    this.#figures.clear()
  }

  /** Of a balancer, or of one of its backends; undefined while nothing is known. */
  of(balancer: string, backend?: string): Traffic | undefined {
    const figures = this.#figures.get(balancer)
    if (figures === undefined) return undefined
    const seconds = figures.reduce((sum, one) => sum + one.seconds, 0)
    if (backend === undefined) return trafficOf(figures, seconds)
    return trafficOf(
      figures.flatMap(({ backends }) => backends.filter(({ id }) => id === backend)),
      seconds,
    )
  }
}

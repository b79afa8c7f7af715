// Room `families`: definitions of the metrics, and where their values come from.
import type { Metric, Registry } from 'prom-client'
import type { Distribution } from '../traffic/distribution.ts'

/** The labels of one series, by name. */
export type Labels = Readonly<Record<string, string>>

/** One line of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Its name, if other than the metric's: `…_bucket`. */
  readonly metricName?: string
}

/** Definition of a metric. */
export interface FamilyOptions {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Reads the current values. */
  readonly read: () => Iterable<Sample>
}

/**
 * A metric without values of its own: they are read from their source at each scrape. For prom-client's registry it is like
 * any other metric, except that it has no `inc`, `set` or `observe`.
 */
export class Family {
  /** The registry changes it for OpenMetrics. */
  name: string
  readonly help: string
  readonly type: FamilyOptions['type']
  /** How `AggregatorRegistry` combines several processes. */
  readonly aggregator = 'sum'
  readonly #read: FamilyOptions['read']

  constructor({ name, help, type, read }: FamilyOptions) {
    this.name = name
    this.help = help
    this.type = type
    this.#read = read
  }

  /** @throws Error if the registry already has a metric of that name */
  registerIn(registry: Registry): void {
    registry.registerMetric(this as unknown as Metric)
  }

  /** Reads the current values, line by line. */
  samples(): Iterable<Sample> {
    return this.#read()
  }

  /** Called by the registry. Everything is read before the first `await`, so that all values are of one moment. */
  async get() {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: [...this.#read()] }
  }

  /** There are no values of its own to reset. */
  reset(): void {}
}

/** The lines of one histogram: cumulative buckets, then sum and count. */
export function* samplesOf(name: string, labels: Labels, distribution: Distribution): Generator<Sample> {
  const { bounds, counts, sum, count } = distribution
  const metricName = `${name}_bucket`
  let cumulated = 0
  for (const [index, bound] of bounds.entries()) {
    cumulated += counts[index]!
    yield { metricName, labels: { ...labels, le: bound }, value: cumulated }
  }
  yield { metricName, labels: { ...labels, le: '+Inf' }, value: count }
  yield { metricName: `${name}_sum`, labels, value: sum }
  yield { metricName: `${name}_count`, labels, value: count }
}

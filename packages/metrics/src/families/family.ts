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

/**
 * What one line says of several instances, by its meaning; the names are prom-client's. `sum`: what each has of its own, such as
 * requests in flight. `min` and `max`: what should be the same in all, and of which the worst counts while it is not. A state is
 * never summed. `first`: what the instance that is asked tells for all.
 */
export type Aggregator = 'sum' | 'min' | 'max' | 'first'

/** The type of a metric, and how instances are made one. */
export type Kind = 'counter' | 'gauge sum' | 'gauge min' | 'gauge max'

/** The parts of a definition that a kind stands for. */
export function partsOf(kind: Kind): Pick<FamilyOptions, 'type' | 'aggregator'> {
  if (kind === 'counter') return { type: kind, aggregator: 'sum' }
  return { type: 'gauge', aggregator: kind.slice('gauge '.length) as Aggregator }
}

/** Definition of a metric. */
export interface FamilyOptions {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** `sum` if not given, as it is for counters and histograms. */
  readonly aggregator?: Aggregator
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
  /** Its name, unchanged. */
  readonly key: string
  readonly help: string
  readonly type: FamilyOptions['type']
  /** How several instances are made one. `AggregatorRegistry` reads it, too. */
  readonly aggregator: Aggregator
  readonly #read: FamilyOptions['read']

  constructor({ name, help, type, aggregator = 'sum', read }: FamilyOptions) {
    this.name = name
    this.key = name
    this.aggregator = aggregator
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

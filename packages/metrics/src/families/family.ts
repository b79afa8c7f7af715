// Room `families`: the families of metrics, and where their values come from.
import type { Metric, Registry } from 'prom-client'
import type { Distribution } from '../traffic/distribution.ts'

/** The labels of one series, by name. */
export type Labels = Readonly<Record<string, string>>

/** One line of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Its own name, where that is not the metric's: `…_bucket`. */
  readonly metricName?: string
}

/** A metric, and how to read it. */
export interface FamilyOptions {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Reads it now. */
  readonly read: () => Iterable<Sample>
}

/**
 * A metric that keeps nothing: it is read from where the figures are, whenever somebody asks. For a registry of
 * prom-client's it is one like any other, but for `inc`, `set` and `observe`, which nobody should call.
 */
export class Family {
  /** The registry changes it, when it writes OpenMetrics. */
  name: string
  readonly help: string
  readonly type: FamilyOptions['type']
  /** What `AggregatorRegistry` makes of several processes' figures. */
  readonly aggregator = 'sum'
  readonly #read: FamilyOptions['read']

  constructor({ name, help, type, read }: FamilyOptions) {
    this.name = name
    this.help = help
    this.type = type
    this.#read = read
  }

  /** @throws Error when the registry has a metric of that name */
  registerIn(registry: Registry): void {
    registry.registerMetric(this as unknown as Metric)
  }

  /** Reads it now, line by line. */
  samples(): Iterable<Sample> {
    return this.#read()
  }

  /** What the registry asks for. Everything is read before the first `await`, so that all figures are of one moment. */
  async get() {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: [...this.#read()] }
  }

  /** There is nothing of its own to begin anew. */
  reset(): void {}
}

/** The lines of one histogram: buckets, cumulated, then sum and count. */
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

import type { Aggregator } from '../families/family.ts'
import { columnOf, type BalancerFigures, type Figures, type Row } from './figures.ts'

/** Rows between two pauses. */
const step = 64

/** How figures are made one. */
export interface Merging {
  /** What is done with the values of a metric; undefined leaves it out. */
  readonly aggregatorOf: (key: string) => Aggregator | undefined
  /** Which rows of a balancer remain; all if undefined. `revision` is the newest in the figures. */
  readonly keeps?: (balancer: string, revision: number) => ((row: Row) => boolean) | undefined
  /**
   * Only buckets that the first figures have: of instances with other bounds, what lies between is counted from the next bound
   * on, and so counts still rise from bucket to bucket.
   */
  readonly ownBuckets?: boolean
}

/** Where the values of a row of several figures go. */
interface Plan {
  readonly shape: number
  readonly aggregators: readonly Aggregator[]
  /** For each of the figures: the place of each of its values in the new row, -1 if it is left out. */
  readonly places: readonly (readonly number[])[]
}

/** The columns of several figures, those of one metric side by side. */
class Columns {
  readonly texts: string[] = []
  readonly aggregators: Aggregator[] = []
  /** For each of the figures: the new place of each column, -1 if it is left out. */
  readonly places: readonly (readonly number[])[]

  constructor(all: readonly Figures[], { aggregatorOf, ownBuckets = false }: Merging) {
    const byMetric = new Map<string, string[]>()
    const withOwnBuckets = new Set<string>()
    const seen = new Set<string>()
    for (const [number, { columns }] of all.entries()) {
      for (const text of columns) {
        if (seen.has(text)) continue
        const { key, metricName } = columnOf(text)
        const isBucket = metricName.endsWith('_bucket')
        if (isBucket && number === 0) withOwnBuckets.add(key)
        if (isBucket && number > 0 && ownBuckets && withOwnBuckets.has(key)) continue
        seen.add(text)
        const known = byMetric.get(key)
        if (known === undefined) byMetric.set(key, [text])
        else known.push(text)
      }
    }
    const newPlaces = new Map<string, number>()
    for (const [key, texts] of byMetric) {
      const aggregator = aggregatorOf(key)
      if (aggregator === undefined) continue
      for (const text of texts) {
        newPlaces.set(text, this.texts.push(text) - 1)
        this.aggregators.push(aggregator)
      }
    }
    this.places = all.map(({ columns }) => columns.map((text) => newPlaces.get(text) ?? -1))
  }
}

/** Plans by the shapes that meet in a row. */
class Plans {
  readonly shapes: (readonly number[])[] = []
  readonly #all: readonly Figures[]
  readonly #columns: Columns
  readonly #known = new Map<string, Plan>()

  constructor(all: readonly Figures[], columns: Columns) {
    this.#all = all
    this.#columns = columns
  }

  of(rows: readonly (Row | undefined)[]): Plan {
    let name = ''
    for (const row of rows) name += row === undefined ? ',' : `${row[1]},`
    let plan = this.#known.get(name)
    if (plan === undefined) this.#known.set(name, (plan = this.#make(rows)))
    return plan
  }

  #make(rows: readonly (Row | undefined)[]): Plan {
    const columns = rows.map((row, number) =>
      row === undefined
        ? []
        : this.#all[number]!.shapes[row[1]]!.map((column) => this.#columns.places[number]![column]!),
    )
    const shape = [...new Set(columns.flat())].filter((column) => column !== -1).toSorted((a, b) => a - b)
    const places = new Map(shape.map((column, place) => [column, place]))
    return {
      shape: this.shapes.push(shape) - 1,
      aggregators: shape.map((column) => this.#columns.aggregators[column]!),
      places: columns.map((each) => each.map((column) => places.get(column) ?? -1)),
    }
  }
}

/** JSON has no infinity, which is the only value of ours that it turns to null: there is no limit. */
function numberOf(value: number | null): number {
  return value ?? Infinity
}

function aggregate(aggregator: Aggregator, one: number, other: number): number {
  switch (aggregator) {
    case 'sum':
      return one + other
    case 'min':
      return Math.min(one, other)
    case 'max':
      return Math.max(one, other)
    default:
      return one
  }
}

function rowOf(rows: readonly (Row | undefined)[], { shape, aggregators, places }: Plan): Row {
  const [labels] = rows.find((row) => row !== undefined)!
  const made: [string, number, ...number[]] = [labels, shape]
  for (const _ of aggregators) made.push(Number.NaN)
  for (const [number, row] of rows.entries()) {
    if (row === undefined) continue
    const own = places[number]!
    for (let at = 0; at < own.length; at++) {
      const place = own[at]!
      if (place === -1) continue
      const value = numberOf(row[at + 2] as number | null)
      const before = made[place + 2] as number
      made[place + 2] = Number.isNaN(before) ? value : aggregate(aggregators[place]!, before, value)
    }
  }
  return made
}

/** Makes one of several figures; pauses now and then. What is given is not changed. */
export function* merged(all: readonly Figures[], merging: Merging): Generator<undefined, Figures> {
  const columns = new Columns(all, merging)
  const plans = new Plans(all, columns)
  const balancers: BalancerFigures[] = []
  let done = 0
  for (const name of new Set(all.flatMap((figures) => figures.balancers.map((one) => one.name)))) {
    const parts = all.map((figures) => figures.balancers.find((one) => one.name === name))
    const revision = Math.max(...parts.map((part) => part?.revision ?? 0))
    const keeps = merging.keeps?.(name, revision)
    const byLabels = parts.map((part) => new Map(part?.rows.map((row) => [row[0], row])))
    const rows: Row[] = []
    for (const [number, own] of byLabels.entries()) {
      for (const [labels, row] of own) {
        // Done with the first of the figures that have it.
        if (number > 0 && byLabels.some((one, at) => at < number && one.has(labels))) continue
        if (keeps?.(row) === false) continue
        const same = byLabels.map((one) => one.get(labels))
        rows.push(rowOf(same, plans.of(same)))
        if (++done % step === 0) yield
      }
    }
    balancers.push({ name, revision, rows })
  }
  return { columns: columns.texts, shapes: plans.shapes, balancers }
}

// Room `figures`: the values of all metrics as plain data, to be sent to other instances, kept, and made one.

/** One row of figures: its labels as text, its place in `shapes`, and a value for each column of that. */
export type Row = readonly [labels: string, shape: number, ...values: number[]]

/** The figures of one balancer. */
export interface BalancerFigures {
  readonly name: string
  /** Of its list of backends. */
  readonly revision: number
  readonly rows: readonly Row[]
}

/**
 * The values of many metrics. Thousands of backends have the same metrics with the same further labels: each of these columns
 * is named once, and each sequence of columns (a shape) too, so that a backend is hardly more than its numbers.
 */
export interface Figures {
  /** Metric, name of the line if it is another one, and labels beside those of the row, as text; see `columnOf`. */
  readonly columns: readonly string[]
  /** Sequences of columns, by their places in `columns`. */
  readonly shapes: readonly (readonly number[])[]
  /** Balancers in order; what belongs to none is under the name ''. */
  readonly balancers: readonly BalancerFigures[]
}

/** The parts of a column. */
export interface Column {
  /** Of its metric. */
  readonly key: string
  /** Name of its lines, if other than the metric's; else ''. */
  readonly metricName: string
  readonly labels: string
}

/** As it is kept in `columns`. No part has a line feed: in labels it is escaped. */
export function columnText({ key, metricName, labels }: Column): string {
  return `${key}\n${metricName}\n${labels}`
}

/** Takes it apart. */
export function columnOf(text: string): Column {
  const [key = '', metricName = '', labels = ''] = text.split('\n')
  return { key, metricName, labels }
}

/** Is it the row of a backend, which may leave the list? */
export function isOfBackend([labels]: Row): boolean {
  return labels.includes(',backend="')
}

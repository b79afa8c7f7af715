import type { Family, Sample } from '../families/family.ts'
import type { BalancerFigures, Figures, Row } from './figures.ts'
import { columnText } from './figures.ts'
import { labelText } from './label-text.ts'

/** A balancer, as far as it is needed here. */
export interface Listed {
  readonly name: string
  readonly set: { readonly revision: number }
}

/** Lines between two pauses. */
const step = 512

/** A sequence of columns, and those that go on from it. */
class Path {
  readonly column: number
  readonly before: Path | undefined
  readonly #next = new Map<number, Path>()
  /** Its place among the shapes; -1 while no row ends here. */
  shape = -1

  constructor(column: number, before: Path | undefined) {
    this.column = column
    this.before = before
  }

  followedBy(column: number): Path {
    let next = this.#next.get(column)
    if (next === undefined) this.#next.set(column, (next = new Path(column, this)))
    return next
  }

  get columns(): number[] {
    const columns: number[] = []
    // oxlint-disable-next-line typescript/no-this-alias -- the way back begins here
    for (let path: Path = this; path.before !== undefined; path = path.before) columns.push(path.column)
    return columns.toReversed()
  }
}

/** A row that is being filled. */
interface Filling {
  readonly row: [labels: string, shape: number, ...values: number[]]
  path: Path
}

/** Labels that name a row; all others name a column. */
const ofRows = ['balancer', 'backend', 'mirror'] as const

/** Rows by balancer and by what they are about. */
class Rows {
  readonly #start: Path
  readonly #byBalancer = new Map<string, Map<string, Filling>>()
  #labels: Sample['labels'] = {}
  #last: Filling | undefined

  constructor(start: Path) {
    this.#start = start
  }

  /** The row of a line: mostly that of the line before. */
  of(labels: Sample['labels']): Filling {
    const before = this.#labels
    if (
      this.#last !== undefined &&
      labels['backend'] === before['backend'] &&
      labels['balancer'] === before['balancer'] &&
      labels['mirror'] === before['mirror']
    )
      return this.#last
    const balancer = String(labels['balancer'] ?? '')
    let rows = this.#byBalancer.get(balancer)
    if (rows === undefined) this.#byBalancer.set(balancer, (rows = new Map()))
    const about = labels['backend'] === undefined ? `m${labels['mirror'] ?? ''}` : `b${labels['backend']}`
    let filling = rows.get(about)
    if (filling === undefined) {
      const text = ofRows.flatMap((name) => (labels[name] === undefined ? [] : labelText(name, labels[name])))
      rows.set(about, (filling = { row: [text.join(','), 0], path: this.#start }))
    }
    this.#labels = labels
    return (this.#last = filling)
  }

  in(balancer: string): Iterable<Filling> {
    return this.#byBalancer.get(balancer)?.values() ?? []
  }
}

function furtherLabels(labels: Sample['labels']): string {
  let text = ''
  for (const name in labels)
    if (name !== 'balancer' && name !== 'backend' && name !== 'mirror')
      text += (text === '' ? '' : ',') + labelText(name, labels[name]!)
  return text
}

/** Reads these metrics; pauses now and then, and reads on when asked for the next step. */
export function* taken(families: Iterable<Family>, balancers: Iterable<Listed>): Generator<undefined, Figures> {
  const start = new Path(-1, undefined)
  const rows = new Rows(start)
  const columns: string[] = []
  let lines = 0
  for (const family of families) {
    const { key } = family
    const places = new Map<string, number>()
    for (const { metricName = '', labels: all, value } of family.samples()) {
      const labels = furtherLabels(all)
      const place = `${metricName}\n${labels}`
      let column = places.get(place)
      if (column === undefined) {
        column = columns.push(columnText({ key, metricName, labels })) - 1
        places.set(place, column)
      }
      const filling = rows.of(all)
      filling.path = filling.path.followedBy(column)
      filling.row.push(value)
      if (++lines % step === 0) yield
    }
  }
  const shapes: number[][] = []
  const finished = (name: string): Row[] =>
    Array.from(rows.in(name), ({ row, path }) => {
      if (path.shape === -1) path.shape = shapes.push(path.columns) - 1
      row[1] = path.shape
      return row
    })
  const all: BalancerFigures[] = [{ name: '', revision: 0, rows: finished('') }]
  for (const { name, set } of balancers) all.push({ name, revision: set.revision, rows: finished(name) })
  return { columns, shapes, balancers: all }
}

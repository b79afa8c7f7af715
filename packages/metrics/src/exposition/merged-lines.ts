import type { Family, Sample } from '../families/family.ts'
import { columnOf, type Column, type Figures } from '../figures/figures.ts'
import { labelText } from '../figures/label-text.ts'
import { headOf, lineNameOf, step, type Form } from './lines.ts'

/** Labels that a row may have. */
const ofRows: ReadonlySet<string> = new Set(['balancer', 'backend', 'mirror'])

/** From where to where a shape has columns of one metric. */
type Range = readonly [from: number, to: number]

/** Writes merged figures, whose columns of one metric stand side by side in every shape. */
export class MergedLines {
  readonly #figures: Figures
  readonly #columns: readonly Column[]
  /** By metric, for each shape. */
  readonly #ranges = new Map<string, (Range | undefined)[]>()

  constructor(figures: Figures) {
    this.#figures = figures
    this.#columns = figures.columns.map(columnOf)
    for (const [number, shape] of figures.shapes.entries()) {
      for (const [at, column] of shape.entries()) {
        const { key } = this.#columns[column]!
        let ranges = this.#ranges.get(key)
        if (ranges === undefined) this.#ranges.set(key, (ranges = []))
        ranges[number] = [ranges[number]?.[0] ?? at, at + 1]
      }
    }
  }

  /** As `linesOf` writes a metric of one instance. */
  *of(family: Family, form: Form, shared: Sample['labels']): Generator<string, void> {
    const ranges = this.#ranges.get(family.key)
    const name = lineNameOf(family, form)
    const further = this.#columns.map(({ labels }) => textAfter(labels, shared))
    const alone = Object.entries(shared).map(([label, value]) => labelText(label, value))
    let text = headOf(family, form)
    let lines = 0
    for (const { rows } of ranges === undefined ? [] : this.#figures.balancers) {
      for (const row of rows) {
        const range = ranges![row[1]]
        if (range === undefined) continue
        const shape = this.#figures.shapes[row[1]]!
        for (let at = range[0]; at < range[1]; at++) {
          const column = shape[at]!
          const { metricName } = this.#columns[column]!
          const labels = row[0] === '' ? withoutRow(this.#columns[column]!.labels, alone) : row[0] + further[column]!
          text += `\n${metricName === '' ? name : metricName}${labels === '' ? '' : `{${labels}}`} ${row[at + 2]}`
          if (++lines % step !== 0) continue
          yield text
          text = ''
        }
      }
    }
    if (text !== '') yield text
  }
}

/** What follows the labels of a row: those of the column, and those that all metrics of the registry have. */
function textAfter(labels: string, shared: Sample['labels']): string {
  let text = labels === '' ? '' : `,${labels}`
  for (const name in shared)
    if (!ofRows.has(name) && !`,${labels}`.includes(`,${name}="`)) text += `,${labelText(name, shared[name]!)}`
  return text
}

function withoutRow(labels: string, shared: readonly string[]): string {
  return [...(labels === '' ? [] : [labels]), ...shared].join(',')
}

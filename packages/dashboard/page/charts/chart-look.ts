import type uPlot from 'uplot'
import { momentText, nothing } from '../figures-text.ts'
import { colour, type Colour } from './palette.ts'
import type { Look } from './plot.tsx'

/** One line of a chart. */
interface Line {
  readonly name: string
  readonly colour: Colour
  /** The colour of the area below it. */
  readonly fill?: Colour
}

/** What a chart shows. */
export interface ChartKind {
  readonly lines: readonly Line[]
  // How numbers are written.
  /** In the legend. */
  readonly figure: (value: number) => string
  /** At an axis, as short as possible. */
  readonly mark: (value: number) => string
}

const font = '11px system-ui, sans-serif'

/** Distance between the labels of the vertical axis and the chart (px). */
const gap = 6

/** Minimum width of the vertical axis (px), so that it rarely changes. */
const narrowest = 46

/** Possible distances between two grid lines. */
const steps = [0.5, ...Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat()]

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

function axis(rest: uPlot.Axis): uPlot.Axis {
  return {
    font,
    stroke: () => colour('muted'),
    grid: { stroke: () => colour('hairline'), width: 1 },
    ticks: { show: false },
    border: { show: false },
    ...rest,
  }
}

/** As wide as its longest label. */
function widthFor({ ctx }: uPlot, marks: readonly string[] | null): number {
  if (marks === null) return narrowest
  // uPlot caches the font that it has set.
  ctx.save()
  ctx.font = font
  const longest = Math.max(0, ...marks.map((mark) => ctx.measureText(mark).width))
  ctx.restore()
  return Math.max(narrowest, Math.ceil(longest) + gap)
}

/** The values without a neighbour: no line would show them. */
function isolated(plot: uPlot, line: number): number[] {
  const values = plot.data[line]!
  const isMissing = (index: number) => (values[index] ?? null) === null
  return [...values.keys()].filter((index) => !isMissing(index) && isMissing(index - 1) && isMissing(index + 1))
}

function series(line: Line, text: (value: number) => string): uPlot.Series {
  return {
    label: line.name,
    class: line.colour,
    stroke: () => colour(line.colour),
    width: 1.5,
    points: { show: true, size: 4, width: 0, fill: () => colour(line.colour), filter: isolated },
    ...(line.fill !== undefined && { fill: () => colour(line.fill!) }),
    value: (_plot, value: number | null) => (value === null || value === undefined ? nothing : text(value)),
  }
}

/** Without the pointer on the chart, the legend shows the latest values. */
function tellLatest(plot: uPlot): void {
  if ((plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: plot.data[0].length - 1 }, false)
}

/** The time under the pointer is told once for all charts. */
function tellMoment({ cursor, data, root }: uPlot): void {
  const place = root.closest('.charts')?.querySelector('.moment')
  if (place === null || place === undefined) return
  const time =
    (cursor.left ?? -1) < 0 || cursor.idx === null || cursor.idx === undefined ? undefined : data[0][cursor.idx]
  place.textContent = time === undefined ? '' : momentText(1000 * time, Date.now())
}

/** The range of the time axis: `span` ms up to the latest value, or up to now without one. */
function lately(latest: number | null, span: number): [number, number] {
  const to = latest ?? Date.now() / 1000
  return [to - span / 1000, to]
}

/** Minimum of the vertical axis' upper end. */
const least = 1

/** Possible distances between two times on the axis (s). */
const intervals = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360].map((minutes) => 60 * minutes)

/** A chart of the last `span` ms. */
export function chartLook({ lines, figure, mark }: ChartKind, span: number): Look {
  return {
    // Room for half of the last time label.
    padding: [10, 16, 0, 0],
    cursor: { sync: { key: 'charts' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      x: { range: (_plot, _from, to) => lately(to, span) },
      y: { range: (_plot, _from, to) => [0, Math.max(least, to * 1.1)] },
    },
    axes: [
      axis({ incrs: intervals, space: 48, size: 24, values: (_plot, at) => at.map((one) => clock.format(one * 1000)) }),
      axis({ incrs: [...steps], size: widthFor, gap, space: 24, values: (_plot, at) => at.map(mark) }),
    ],
    series: [{ label: 'Time', value: () => '' }, ...lines.map((line) => series(line, figure))],
    hooks: { setData: [tellLatest], ready: [tellLatest], setCursor: [tellLatest, tellMoment] },
  }
}

import type uPlot from 'uplot'
import { nothing } from '../figures-text.ts'
import { chartSpan } from '../live/history.ts'
import { colour, type Colour } from './palette.ts'
import type { Look } from './plot.tsx'

/** One line of a chart. */
export interface Line {
  readonly name: string
  readonly colour: Colour
  /** With the area below it. */
  readonly isFilled?: boolean
}

/** How numbers are written. */
interface Texts {
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

function series(line: Line, text: (value: number) => string): uPlot.Series {
  return {
    label: line.name,
    class: line.colour,
    stroke: () => colour(line.colour),
    width: 1.5,
    points: { show: false },
    ...(line.isFilled === true && { fill: () => colour('wash') }),
    value: (_plot, value: number | null) => (value === null || value === undefined ? nothing : text(value)),
  }
}

/** Without the pointer on the chart, the legend shows the latest values. */
function tellLatest(plot: uPlot): void {
  if ((plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: plot.data[0].length - 1 }, false)
}

/** The range of the time axis: the last minutes, up to the latest value, or up to now without one. */
function lately(latest: number | null): [number, number] {
  const to = latest ?? Date.now() / 1000
  return [to - chartSpan / 1000, to]
}

/** A chart of the last minutes. `least`: minimum of the vertical axis' upper end. */
export function chartLook(lines: readonly Line[], least: number, { figure, mark }: Texts): Look {
  return {
    // Room for half of the last time label.
    padding: [10, 16, 0, 0],
    cursor: { sync: { key: 'charts' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      x: { range: (_plot, _from, to) => lately(to) },
      y: { range: (_plot, _from, to) => [0, Math.max(least, to * 1.1)] },
    },
    axes: [
      axis({ incrs: [60], space: 40, size: 24, values: (_plot, at) => at.map((one) => clock.format(one * 1000)) }),
      axis({ incrs: [...steps], size: widthFor, gap, space: 24, values: (_plot, at) => at.map(mark) }),
    ],
    series: [{ label: 'Time', value: () => '' }, ...lines.map((line) => series(line, figure))],
    hooks: { setData: [tellLatest], ready: [tellLatest], setCursor: [tellLatest] },
  }
}

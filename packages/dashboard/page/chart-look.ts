import type uPlot from 'uplot'
import { nothing } from './figures-text.ts'
import { chartSpan } from './history.ts'
import { colour, type Colour } from './palette.ts'
import type { Look } from './plot.tsx'

/** One line of a chart. */
export interface Line {
  readonly name: string
  readonly colour: Colour
  /** With the area below it. */
  readonly isFilled?: boolean
}

const font = '11px system-ui, sans-serif'

/** Between two lines of the grid. */
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

/** Without the pointer on it, the legend tells the latest figures. */
function tellLatest(plot: uPlot): void {
  if ((plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: plot.data[0].length - 1 }, false)
}

/** The last minutes, until the latest figures; until now while there are none. */
function lately(latest: number | null): [number, number] {
  const to = latest ?? Date.now() / 1000
  return [to - chartSpan / 1000, to]
}

/** A chart of the last minutes. `least`: its upper end is never lower. `text`: how its figures are written. */
export function chartLook(lines: readonly Line[], least: number, text: (value: number) => string): Look {
  return {
    padding: [10, 14, 0, 0],
    cursor: { sync: { key: 'charts' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      x: { range: (_plot, _from, to) => lately(to) },
      y: { range: (_plot, _from, to) => [0, Math.max(least, to * 1.1)] },
    },
    axes: [
      axis({ incrs: [60], space: 40, size: 24, values: (_plot, at) => at.map((one) => clock.format(one * 1000)) }),
      axis({ incrs: [...steps], size: 46, gap: 6, space: 24, values: (_plot, at) => at.map(text) }),
    ],
    series: [{ label: 'Time', value: () => '' }, ...lines.map((line) => series(line, text))],
    hooks: { setData: [tellLatest], ready: [tellLatest], setCursor: [tellLatest] },
  }
}

import { figure } from '../markdown.ts'
import type { TailScenarioReport, TailSubjectReport } from './report.ts'

const width = 480
const labelWidth = 205
/** Room for the figure after a dot. */
const figureWidth = 46
const rowHeight = 17
const headHeight = 46
const footHeight = 14
const legendHeight = 24
const columns = 2

const style = `
  svg { font: 12px system-ui, sans-serif; background: #fff; fill: #1f2328 }
  .title { font-weight: 600; font-size: 13px }
  .muted { fill: #656d76; font-size: 11px }
  .grid { stroke: #d0d7de }
  .floor { stroke: #656d76; stroke-dasharray: 3 3 }
  .peer { fill: #8c959f; stroke: #8c959f } .ours { fill: #0969da; stroke: #0969da }
  text.peer, text.ours { stroke: none } text.peer { fill: #1f2328 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; fill: #e6edf3 }
    .muted { fill: #8d96a0 } .grid { stroke: #30363d } .floor { stroke: #8d96a0 }
    .ours { fill: #4493f8; stroke: #4493f8 } text.peer { fill: #e6edf3 }
  }`

/** Draws the p99 of every subject, a panel for each scenario, on a scale where every step is a factor. */
export function tailChart(scenarios: readonly TailScenarioReport[]): string {
  const heights = scenarios.map(({ subjects }) => headHeight + subjects.length * rowHeight + footHeight)
  const panelHeight = Math.max(...heights)
  const lines = Math.ceil(scenarios.length / columns)
  const [allWidth, allHeight] = [Math.min(columns, scenarios.length) * width, lines * panelHeight + legendHeight]
  const panels = scenarios.map((scenario, index) => {
    const [x, y] = [(index % columns) * width, Math.floor(index / columns) * panelHeight]
    return `<g transform="translate(${x} ${y})">${panel(scenario)}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${allWidth}" height="${allHeight}" viewBox="0 0 ${allWidth} ${allHeight}" role="img">
<title>p99 of each balancer in each scenario</title>
<style>${style}
</style>
${panels.join('\n')}
<text class="muted" x="8" y="${allHeight - 8}">Dashed: if nobody waited and the fastest backend did all. No balancer can do better.</text>
</svg>
`
}

function panel({ title, floor, subjects }: TailScenarioReport): string {
  const values = [floor.p99, ...subjects.map(({ p99 }) => p99.median)]
  const place = scale(Math.min(...values) / 1.2, Math.max(...values) * 1.1)
  const bottom = headHeight + subjects.length * rowHeight
  const ticks = ticksWithin(Math.min(...values) / 1.2, Math.max(...values) * 1.1).map((tick) => {
    const x = place(tick)
    return `<line class="grid" x1="${x}" x2="${x}" y1="${headHeight - 6}" y2="${bottom}"/><text class="muted" x="${x}" y="${headHeight - 10}" text-anchor="middle">${tick}</text>`
  })
  const x = place(floor.p99)
  return [
    `<text class="title" x="8" y="18">${escaped(title)}</text>`,
    `<text class="muted" x="8" y="${headHeight - 10}">p99, ms</text>`,
    ...ticks,
    `<line class="floor" x1="${x}" x2="${x}" y1="${headHeight - 6}" y2="${bottom}"/>`,
    ...subjects.map((subject, index) => row(subject, headHeight + index * rowHeight, place)),
  ].join('\n')
}

function row(
  { title, isPeer, p99: { median, min, max } }: TailSubjectReport,
  y: number,
  place: (value: number) => number,
) {
  const kind = isPeer ? 'peer' : 'ours'
  const [x, middle, base] = [place(median), y + rowHeight / 2, y + rowHeight / 2 + 4]
  return [
    `<text class="${kind}" x="8" y="${base}">${escaped(title)}</text>`,
    `<line class="${kind}" x1="${place(min)}" x2="${place(max)}" y1="${middle}" y2="${middle}"/>`,
    `<circle class="${kind}" cx="${x}" cy="${middle}" r="4"/>`,
    `<text class="${kind}" x="${round(Math.max(x, place(max)) + 8)}" y="${base}">${figure(median)}</text>`,
  ].join('')
}

/** From values to places in a panel. */
function scale(from: number, to: number): (value: number) => number {
  const [left, right] = [labelWidth, width - figureWidth]
  return (value) => round(left + ((right - left) * Math.log(value / from)) / Math.log(to / from))
}

/** Round numbers: more of them, the less there is to show. */
export function ticksWithin(from: number, to: number): number[] {
  const steps = to / from > 100 ? [1] : to / from > 8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7]
  const ticks: number[] = []
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10)
    ticks.push(
      ...steps.map((step) => Number((step * power).toPrecision(3))).filter((tick) => tick >= from && tick <= to),
    )
  return ticks
}

const round = (value: number) => Math.round(value * 10) / 10

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

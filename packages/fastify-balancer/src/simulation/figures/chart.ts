import { linesOf, type ChartLine } from './chart-lines.ts'
import type { SimulationFigures } from './run-figures.ts'

const width = 728
const height = 400
const margin = { left: 64, right: 184, top: 40, bottom: 52 }
const plot = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom }

/** Longer names have no room in the legend. */
const mostLetters = 19

/** Told apart by people who see red and green alike, and on light and dark: Okabe and Ito's, without the pale ones. */
const colors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a63d2', '#7f7f7f'] as const
/** Where there are more policies than colors, lines are broken. */
const dashes = ['', '6 3', '2 3'] as const

const style = `
  .ground { fill: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 }
    text { fill: #e6edf3 }
    .grid { stroke: #30363d }
  }`

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** As text of XML, also within quotes. Characters that no XML may hold become question marks. */
function escaped(given: string): string {
  const plain = given.toWellFormed().replaceAll(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, '?')
  return plain.replaceAll(/[&<>"']/g, (one) => references[one]!)
}

const round = (value: number) => Math.round(value * 10) / 10

function text(x: number, y: number, content: string, anchor = 'start', kind = ''): string {
  const attribute = kind === '' ? '' : ` class="${kind}"`
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${attribute}>${escaped(content)}</text>`
}

const grid = (x1: number, y1: number, x2: number, y2: number) =>
  `<line class="grid" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`

/** Which line is whose, beside the chart, from the top. */
function legend(lines: readonly ChartLine[]): readonly string[] {
  return lines.flatMap(({ name }, index) => {
    const [x, y] = [width - margin.right + 16, margin.top + 12 + 18 * index]
    const shown = name.length > mostLetters ? `${name.slice(0, mostLetters - 1)}…` : name
    return [`<path class="line" ${strokeOf(index)} d="M${x} ${y - 4}h22"/>`, text(x + 30, y, shown)]
  })
}

function strokeOf(index: number): string {
  const dash = dashes[Math.floor(index / colors.length) % dashes.length]!
  return `stroke="${colors[index % colors.length]}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`
}

/** Latencies at quantiles, one line for each policy, as an SVG: both axes are logarithmic, so that the tail has its room. */
export function chart(figures: SimulationFigures, title = 'Latency by quantile'): string {
  const { lines, across, up } = linesOf(figures.runs)
  const x = (share: number) => margin.left + share * plot.width
  const y = (share: number) => margin.top + (1 - share) * plot.height
  const bottom = margin.top + plot.height
  const parts = [
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text(margin.left, 24, title, 'start', 'title'),
    ...up.flatMap(({ at, label }) => [
      grid(margin.left, y(at), margin.left + plot.width, y(at)),
      text(margin.left - 8, y(at) + 4, label, 'end'),
    ]),
    ...across.flatMap(({ at, label }) => [
      grid(x(at), margin.top, x(at), bottom),
      text(x(at), bottom + 18, label, 'middle'),
    ]),
    text(margin.left + plot.width / 2, height - 12, 'percentile of requests; latency in ms', 'middle'),
    ...lines.map(({ points }, index) => {
      const path = points.map((point, place) => `${place === 0 ? 'M' : 'L'}${round(x(point.x))} ${round(y(point.y))}`)
      return `<path class="line" ${strokeOf(index)} d="${path.join('')}"/>`
    }),
    ...legend(lines),
  ]
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`
  return `${open}\n<style>${style}\n</style>\n${parts.join('\n')}\n</svg>\n`
}

import { harmless } from './harmless.ts'
import type { Condition, Row, Section } from './sections.ts'
import type { Traffic } from './traffic.ts'

/** Colours a text; without colours, answers it as it is. */
export type Paint = (colour: Colour, text: string) => string
/** What makes a text stand out. */
type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold' | 'chosen'

const codes: Readonly<Record<Colour, string>> = {
  red: '31',
  yellow: '33',
  green: '32',
  dim: '2',
  bold: '1',
  chosen: '7',
}

/** https://no-color.org */
export function painter(isColoured: boolean): Paint {
  return isColoured
    ? (colour, text) => (text === '' ? '' : `\u001B[${codes[colour]}m${text}\u001B[0m`)
    : (_colour, text) => text
}

const marks: Readonly<Record<Condition, readonly [symbol: string, colour: Colour]>> = {
  unhealthy: ['✖', 'red'],
  failing: ['▲', 'red'],
  draining: ['◐', 'yellow'],
  maintenance: ['◌', 'yellow'],
  healthy: ['●', 'green'],
}

/** A text of at most so many characters. */
export const fitting = (text: string, width: number) =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${width > 0 ? '…' : ''}`

const rateText = (rate: number) => (rate > 0 && rate < 9.95 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en'))
const errorsText = (share: number | undefined) =>
  share === undefined ? '–' : `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`

function durationText(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms >= 9950
    ? `${(ms / 1000).toFixed(0)} s`
    : ms >= 999.5
      ? `${(ms / 1000).toFixed(1)} s`
      : `${ms.toFixed(ms < 9.95 ? 1 : 0)} ms`
}

/** How full: `▰▰▱▱▱`. One is filled as soon as there is anything. */
function gauge(part: number, whole: number): string {
  const filled = Math.min(5, Math.ceil((5 * part) / Math.max(1, whole)))
  return '▰'.repeat(filled) + '▱'.repeat(5 - filled)
}

const figuresOf = (traffic: Traffic | undefined) => [
  traffic === undefined ? '–' : rateText(traffic.rate),
  errorsText(traffic?.errors),
  durationText(traffic?.p95),
]

const heading = ['backend', 'state', 'req/s', 'errors', 'p95', 'in flight', 'conns', ''] as const

function cellsOf({ backend, condition, why, traffic }: Row): readonly string[] {
  const { inFlight, limit, connections } = backend
  const load = `${inFlight}/${limit} ${gauge(inFlight, limit)}`
  return [
    harmless(backend.id),
    `${marks[condition][0]} ${condition}`,
    ...figuresOf(traffic),
    load,
    String(connections.open),
    harmless(why),
  ]
}

/** Columns that stand to the left; all others are figures. */
const toTheLeft = new Set([0, 1, 7])

/** How wide each column is, over all balancers, so that figures stand below each other; ids get at most a third. */
function widthsOf(sections: readonly Section[], width: number): readonly number[] {
  const rows = [heading, ...sections.flatMap(({ rows: own }) => own.map(cellsOf))]
  const widths = heading.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return widths.map((one, column) => (column === 0 ? Math.min(one, Math.max(12, Math.floor(width / 3))) : one))
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const text = fitting(cell, widths[column]!)
    return toTheLeft.has(column) ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  })
  return padded.join('  ').trimEnd()
}

function rowLine(row: Row, widths: readonly number[], width: number, isChosen: boolean, paint: Paint): string {
  const plain = fitting(`${isChosen ? '›' : ' '} ${lineOf(cellsOf(row), widths)}`, width)
  if (isChosen) return paint('chosen', plain.padEnd(width))
  const [symbol, colour] = marks[row.condition]
  const at = plain.indexOf(symbol, 2 + widths[0]!)
  const word = `${symbol} ${row.condition}`
  if (at === -1) return plain
  return plain.slice(0, at) + paint(colour, plain.slice(at, at + word.length)) + plain.slice(at + word.length)
}

function balancerLine({ balancer, traffic, rows }: Section, width: number, paint: Paint): string {
  const { name, policy, available, panicking, exchanges, queue } = balancer
  const [rate, errors, p95] = figuresOf(traffic)
  const title = fitting(harmless(name), width)
  const facts = [
    harmless(policy),
    `${available} of ${rows.length} healthy`,
    `${rate} req/s`,
    `${errors} errors`,
    `p95 ${p95}`,
    `${exchanges} in progress`,
    `${queue.waiting} of ${queue.max} queued`,
  ]
  const alarm = panicking ? 'PANIC MODE ' : ''
  const text = fitting(` ${alarm}${facts.join(' · ')}`, width - title.length)
  const from = panicking ? Math.min(text.length, 1 + alarm.length) : 0
  return paint('bold', title) + paint('red', text.slice(0, from)) + paint('dim', text.slice(from))
}

/** A line of the table, and the row that it stands for, if it does. */
export interface Line {
  readonly text: string
  readonly row?: Row
}

/** The whole table, `width` characters wide at most. */
export function tableOf(sections: readonly Section[], width: number, paint: Paint, chosen?: Row): readonly Line[] {
  const widths = widthsOf(sections, width)
  const lines = sections.flatMap((section): Line[] => [
    { text: '' },
    { text: balancerLine(section, width, paint) },
    { text: paint('dim', fitting(`  ${lineOf(heading, widths)}`, width)) },
    ...section.rows.map((row) => ({ text: rowLine(row, widths, width, row === chosen, paint), row })),
  ])
  return lines.slice(1)
}

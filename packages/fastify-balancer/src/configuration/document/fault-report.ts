import { styleText } from 'node:util'
import { lineOf, type Fault } from './fault.ts'

/** How faults are printed. */
export interface ReportStyle {
  /** The lines they stand in, too: for a terminal, not for a log, as they may hold secrets. */
  readonly excerpts: boolean
  readonly colors: boolean
}

/** More than these are only counted. */
const mostFaults = 100

/** As much of a line as a terminal shows. */
const mostColumns = 100

function excerptOf({ line, column, length }: Fault, lines: readonly string[], paint: (text: string) => string): string {
  const text = lines[line - 1] ?? ''
  const from = column > mostColumns - 20 ? column - 40 : 0
  const before = `${from > 0 ? '…' : ''}${text.slice(from, column - 1)}`
  const shown = `${before}${text.slice(column - 1, from + mostColumns)}${text.length > from + mostColumns ? '…' : ''}`
  const room = Math.max(1, Math.min(length, from + mostColumns - column + 1))
  // A tab is as wide as the terminal makes it, in both lines.
  return `  ${shown}\n  ${before.replaceAll(/[^\t]/g, ' ')}${paint('^'.repeat(room))}`
}

/** Faults, or warnings, for a person: one line each, with the line of the file and a caret below what it is about. */
export function faultReport(faults: readonly Fault[], text: string, { excerpts, colors }: ReportStyle): string {
  const lines = excerpts ? text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/) : []
  const paint = (one: string) => (colors ? styleText('red', one, { validateStream: false }) : one)
  const told = faults.slice(0, mostFaults).map((fault) => {
    const hasText = excerpts && (lines[fault.line - 1] ?? '').trim() !== ''
    return hasText ? `${lineOf(fault)}\n${excerptOf(fault, lines, paint)}` : lineOf(fault)
  })
  const more = faults.length - told.length
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}

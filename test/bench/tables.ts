import { faultsAsMarkdown, faultsInBrief } from './faults/markdown.ts'
import type { FaultReport } from './faults/report.ts'
import type { CountsComparison } from './fleet-counts/compare.ts'
import { countsAsMarkdown } from './fleet-counts/markdown.ts'
import { reportAsMarkdown, scenariosAsMarkdown } from './markdown.ts'
import { operationsAsMarkdown, type OperationsReport } from './operations/markdown.ts'
import type { Report } from './report.ts'
import { loadResults, resultsFile } from './results.ts'
import { scaleAsMarkdown, type ScaleReport } from './scale/markdown.ts'
import { tailsFolded } from './tail/markdown.ts'
import type { TailReport } from './tail/report.ts'
import { comparisonsAsMarkdown, type Comparison } from './tail/simulations.ts'

/** The tables that a document may hold between markers of their names, each of the results of one benchmark. */
export const tables = {
  benchmark: { results: 'latest', of: 'run.ts', table: (found) => reportAsMarkdown(found as Report) },
  faults: { results: 'faults', of: 'run.ts faults', table: (found) => faultsFolded(found as FaultReport) },
  operated: {
    results: 'operated',
    of: 'run.ts for ours-metrics, ours-admin and ours-watched',
    table: (found) => scenariosAsMarkdown(found as Report),
  },
  tails: { results: 'tail', of: 'run.ts tail', table: (found) => tailsFolded(found as TailReport) },
  simulated: {
    results: 'simulated',
    of: 'run.ts simulated',
    table: (found) => comparisonsAsMarkdown(found as readonly Comparison[]),
  },
  scale: { results: 'scale', of: 'scale.ts', table: (found) => scaleAsMarkdown(found as ScaleReport) },
  operations: {
    results: 'operations',
    of: 'operations.ts',
    table: (found) => operationsAsMarkdown(found as OperationsReport),
  },
  counts: {
    results: 'fleet-counts',
    of: 'run.ts fleet-counts',
    table: (found) => countsAsMarkdown(found as readonly CountsComparison[]),
  },
} as const satisfies Readonly<Record<string, Table>>

interface Table {
  /** Name of the file of results. */
  readonly results: string
  /** Which program writes them. */
  readonly of: string
  readonly table: (results: unknown) => string
}

export type TableName = keyof typeof tables

export const marker = (name: string, side: 'start' | 'end') => `<!-- ${name}:${side} -->`

/** Where the results of each are, unless others are wanted. */
export type ResultFiles = Readonly<Record<TableName, string>>

export const usualFiles = Object.fromEntries(
  Object.entries(tables).map(([name, { results }]) => [name, resultsFile(results)]),
) as ResultFiles

/** One table, from a file of results. */
export function tableOf(name: TableName, file = usualFiles[name]): string {
  return tables[name].table(loadResults(file))
}

/** The document with every table for which it has markers. @throws Error if it has none */
export function withTables(document: string, files = usualFiles): string {
  let text: string | undefined
  for (const name of Object.keys(tables) as TableName[])
    text = replaceBetweenMarkers(text ?? document, name, () => tableOf(name, files[name])) ?? text
  if (text === undefined) throw new Error(`there is no marker, e.g. ${marker('benchmark', 'start')}`)
  return text
}

/** Undefined if the markers are not there. */
function replaceBetweenMarkers(document: string, name: string, text: () => string): string | undefined {
  const [start, end] = [marker(name, 'start'), marker(name, 'end')]
  const from = document.indexOf(start)
  const to = document.indexOf(end, from)
  if (from === -1) return undefined
  if (to === -1) throw new Error(`there is no ${end} after ${start}`)
  return `${document.slice(0, from + start.length)}\n${text()}\n${document.slice(to)}`
}

function faultsFolded(report: FaultReport): string {
  const details = `<details>\n<summary>All results, and how they were measured</summary>\n\n${faultsAsMarkdown(report)}\n\n</details>`
  return `${faultsInBrief(report)}\n\n${details}`
}

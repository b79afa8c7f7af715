// Prints benchmark results as Markdown, or writes them into a document between markers.
import { readFileSync, writeFileSync } from 'node:fs'
import { path, readArguments } from './arguments.ts'
import { faultsAsMarkdown, faultsInBrief } from './faults/markdown.ts'
import type { FaultReport } from './faults/report.ts'
import { reportAsMarkdown, scenariosAsMarkdown } from './markdown.ts'
import type { Report } from './report.ts'
import { loadResults, resultsFile } from './results.ts'
import { tailsFolded } from './tail/markdown.ts'
import type { TailReport } from './tail/report.ts'
import { comparisonsAsMarkdown, type Comparison } from './tail/simulations.ts'

const marker = (name: string, side: 'start' | 'end') => `<!-- ${name}:${side} -->`

const { results, faults, operated, tails, simulated, write } = readArguments(
  { name: 'table.ts', does: 'Prints the results of the last benchmarks as Markdown.' },
  {
    results: path('Results of run.ts', resultsFile('latest')),
    faults: path('Results of run.ts faults', resultsFile('faults')),
    operated: path('Results of run.ts for ours-metrics, ours-admin and ours-watched', resultsFile('operated')),
    tails: path('Results of run.ts tail', resultsFile('tail')),
    simulated: path('Results of run.ts simulated', resultsFile('simulated')),
    write: path(
      `Write into FILE, between ${marker('benchmark', 'start')} and ${marker('benchmark', 'end')}; likewise faults, operated, tails and simulated, where their markers are`,
      undefined,
    ),
  },
)

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

const tables: Readonly<Record<string, () => string>> = {
  benchmark: () => reportAsMarkdown(loadResults(results) as Report),
  faults: () => faultsFolded(loadResults(faults) as FaultReport),
  operated: () => scenariosAsMarkdown(loadResults(operated) as Report),
  tails: () => tailsFolded(loadResults(tails) as TailReport),
  simulated: () => comparisonsAsMarkdown(loadResults(simulated) as readonly Comparison[]),
}

/** The document with every table for which it has markers. @throws Error if it has none */
function withTables(document: string): string {
  let text: string | undefined
  for (const [name, table] of Object.entries(tables))
    text = replaceBetweenMarkers(text ?? document, name, table) ?? text
  if (text === undefined) throw new Error(`there is no marker, e.g. ${marker('benchmark', 'start')}`)
  return text
}

try {
  if (write === undefined)
    process.stdout.write(
      `${Object.values(tables)
        .map((table) => table())
        .join('\n\n')}\n`,
    )
  else writeFileSync(write, withTables(readFileSync(write, 'utf8')))
} catch (error) {
  process.stderr.write(`table.ts: ${write ?? results}: ${(error as Error).message}\n`)
  process.exitCode = 1
}

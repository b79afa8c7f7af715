// Prints benchmark results as Markdown, or writes them into a document between markers.
import { readFileSync, writeFileSync } from 'node:fs'
import { path, readArguments } from './arguments.ts'
import { faultsAsMarkdown, faultsInBrief } from './faults/markdown.ts'
import type { FaultReport } from './faults/report.ts'
import { reportAsMarkdown, scenariosAsMarkdown } from './markdown.ts'
import type { Report } from './report.ts'
import { loadResults, resultsFile } from './results.ts'

const marker = (name: string, side: 'start' | 'end') => `<!-- ${name}:${side} -->`

const { results, faults, operated, write } = readArguments(
  { name: 'table.ts', does: 'Prints the results of the last benchmarks as Markdown.' },
  {
    results: path('Results of run.ts', resultsFile('latest')),
    faults: path('Results of run.ts faults', resultsFile('faults')),
    operated: path('Results of run.ts for ours-metrics, ours-admin and ours-watched', resultsFile('operated')),
    write: path(
      `Write into FILE, between ${marker('benchmark', 'start')} and ${marker('benchmark', 'end')}; likewise for faults and operated`,
      undefined,
    ),
  },
)

function replaceBetweenMarkers(document: string, name: string, text: string): string {
  const [start, end] = [marker(name, 'start'), marker(name, 'end')]
  const from = document.indexOf(start)
  const to = document.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`there is no ${start} with an ${end} after it`)
  return `${document.slice(0, from + start.length)}\n${text}\n${document.slice(to)}`
}

function faultsFolded(report: FaultReport): string {
  const details = `<details>\n<summary>All results, and how they were measured</summary>\n\n${faultsAsMarkdown(report)}\n\n</details>`
  return `${faultsInBrief(report)}\n\n${details}`
}

try {
  const tables = {
    benchmark: reportAsMarkdown(loadResults(results) as Report),
    faults: faultsFolded(loadResults(faults) as FaultReport),
    operated: scenariosAsMarkdown(loadResults(operated) as Report),
  }
  if (write === undefined) process.stdout.write(`${Object.values(tables).join('\n\n')}\n`)
  else {
    const document = Object.entries(tables).reduce(
      (text, [name, table]) => replaceBetweenMarkers(text, name, table),
      readFileSync(write, 'utf8'),
    )
    writeFileSync(write, document)
  }
} catch (error) {
  process.stderr.write(`table.ts: ${write ?? results}: ${(error as Error).message}\n`)
  process.exitCode = 1
}

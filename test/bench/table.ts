// Prints the results of the benchmark as Markdown, or puts them into a document between two markers.
import { readFileSync, writeFileSync } from 'node:fs'
import { path, readArguments } from './arguments.ts'
import { reportAsMarkdown } from './markdown.ts'
import type { Report } from './report.ts'
import { loadResults, resultsFile } from './results.ts'

const start = '<!-- benchmark:start -->'
const end = '<!-- benchmark:end -->'

const { results, write } = readArguments(
  { name: 'table.ts', does: 'Prints the results of the last benchmark as Markdown.' },
  {
    results: path('What run.ts has written', resultsFile('latest')),
    write: path(`Instead of printing, replace what stands in FILE between ${start} and ${end}`, undefined),
  },
)

function replaceBetweenMarkers(document: string, text: string): string {
  const from = document.indexOf(start)
  const to = document.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`there is no ${start} with an ${end} after it`)
  return `${document.slice(0, from + start.length)}\n${text}\n${document.slice(to)}`
}

try {
  const markdown = reportAsMarkdown(loadResults(results) as Report)
  if (write === undefined) process.stdout.write(`${markdown}\n`)
  else writeFileSync(write, replaceBetweenMarkers(readFileSync(write, 'utf8'), markdown))
} catch (error) {
  process.stderr.write(`table.ts: ${write ?? results}: ${(error as Error).message}\n`)
  process.exitCode = 1
}

// Prints benchmark results as Markdown, or writes them into a document between markers.
import { readFileSync, writeFileSync } from 'node:fs'
import { path, readArguments } from './arguments.ts'
import { marker, tableOf, tables, usualFiles, withTables, type TableName } from './tables.ts'

const resultsOf = (name: TableName) => path(`Results of ${tables[name].of}`, usualFiles[name])

const { results, write, ...others } = readArguments(
  { name: 'table.ts', does: 'Prints the results of the last benchmarks as Markdown.' },
  {
    results: resultsOf('benchmark'),
    faults: resultsOf('faults'),
    operated: resultsOf('operated'),
    tails: resultsOf('tails'),
    simulated: resultsOf('simulated'),
    counts: resultsOf('counts'),
    scale: resultsOf('scale'),
    operations: resultsOf('operations'),
    write: path(
      `Write into FILE, between ${marker('benchmark', 'start')} and ${marker('benchmark', 'end')}; likewise faults, operated, tails, simulated, counts, scale and operations, where their markers are`,
      undefined,
    ),
  },
)
const files = { benchmark: results, ...others }

try {
  if (write === undefined) {
    const all = (Object.keys(tables) as TableName[]).map((name) => tableOf(name, files[name]))
    process.stdout.write(`${all.join('\n\n')}\n`)
  } else writeFileSync(write, withTables(readFileSync(write, 'utf8'), files))
} catch (error) {
  process.stderr.write(`table.ts: ${write ?? results}: ${(error as Error).message}\n`)
  process.exitCode = 1
}

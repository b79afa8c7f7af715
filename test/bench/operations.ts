// What do clients notice of reloads, rolling restarts, killed workers and the end? The command with two workers, under load from
// wrk and h2load, and everything counted on both sides.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { flag, integer, path, readArguments, subset } from './arguments.ts'
import { h2loadVersion } from './load/h2load.ts'
import { wrkVersion } from './load/wrk.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { endUnderLoad } from './operations/end.ts'
import { compareFigures } from './operations/figures.ts'
import { killWorkers } from './operations/kills.ts'
import { operationsAsMarkdown, type OperationsReport } from './operations/markdown.ts'
import type { Amount, Finding } from './operations/part.ts'
import { compareProbes } from './operations/probes.ts'
import { reloadUnderLoad } from './operations/reloads.ts'
import { restartUnderLoad } from './operations/restarts.ts'
import { writeAtOnce } from './operations/writers.ts'
import { loadResults, resultsFile, saveResults } from './results.ts'
import { makeWorkplace } from './workplace.ts'

const parts = {
  reload: reloadUnderLoad,
  kill: killWorkers,
  restart: restartUnderLoad,
  end: endUnderLoad,
  figures: compareFigures,
  writers: writeAtOnce,
  probes: compareProbes,
} satisfies Readonly<Record<string, (amount: Amount) => Promise<Finding>>>

type Name = keyof typeof parts
const names = Object.keys(parts) as Name[]

const { reloads, times, seconds, quick, only, output } = readArguments(
  {
    name: 'operations.ts',
    does: 'Runs the command with two workers under load from wrk and h2load; reloads it, kills and replaces workers, and ends it;\nand counts what clients and backends get.',
    more: 'Exits with 1 if something does not hold. What is not done keeps its earlier results.',
  },
  {
    reloads: integer('How often it is reloaded', { default: 200 }),
    times: integer('How often a worker is killed, and how often all are replaced', { default: 20 }),
    seconds: integer('How long writers write, and probes are counted', { default: 20 }),
    quick: flag('Little of each, in less than a minute on a quiet machine; keeps no results'),
    only: subset('Only these parts', 'PART,…', names),
    output: path('JSON file for the results', resultsFile('operations')),
  },
)

requireLinux()
if (wrkVersion() === undefined || h2loadVersion() === undefined) throw new Error('wrk or h2load is not installed')
const directory = makeWorkplace()
const amount = quick ? { reloads: 10, times: 2, seconds: 3 } : { reloads, times, seconds }
const found = new Map<string, Finding>()
if (!quick && existsSync(output))
  for (const finding of (loadResults(output) as OperationsReport).findings) found.set(finding.part, finding)
let isGood = true
for (const name of only) {
  process.stderr.write(`${name} …\n`)
  const since = performance.now()
  const finding = await parts[name]({ ...amount, directory: join(directory, name) })
  const { did, figures, faults } = finding
  found.set(name, finding)
  isGood &&= faults.length === 0
  const took = ((performance.now() - since) / 1000).toFixed(0)
  process.stderr.write(
    `${faults.length === 0 ? 'holds' : 'DOES NOT HOLD'} · ${did} (${took} s) · ${JSON.stringify(figures)}\n`,
  )
  for (const fault of faults) process.stderr.write(`!! ${fault}\n`)
}
const findings = names.flatMap((name) => found.get(name) ?? [])
const report: OperationsReport = { date: new Date().toISOString(), machine: describeMachine(), findings }
if (!quick) saveResults(output, report)
process.stdout.write(`${operationsAsMarkdown(report)}\n`)
process.exit(isGood ? 0 : 1)

// What a second worker brings, beside nginx's; and what a start of many workers takes.
import { existsSync } from 'node:fs'
import { integer, path, readArguments, subset } from './arguments.ts'
import { startBackends } from './backends.ts'
import { chooseLoad } from './load/choose.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { loadResults, resultsFile, saveResults } from './results.ts'
import { scaleAsMarkdown, type ScaleReport } from './scale/markdown.ts'
import { measureGains } from './scale/measure.ts'
import { measureStart } from './scale/start.ts'
import { startSubjects } from './scale/subjects.ts'
import { makeWorkplace } from './workplace.ts'

const { rounds, seconds, connections, workers, only, output } = readArguments(
  {
    name: 'scale.ts',
    does: 'Measures what a second worker brings, and what a start of many workers takes.',
    more: 'What is not measured keeps its earlier results.',
  },
  {
    rounds: integer('Measured rounds, after a warm-up', { default: 15 }),
    seconds: integer('Seconds per subject and round', { default: 2 }),
    connections: integer('Kept connections', { default: 64 }),
    workers: integer('How many workers are started at once', { default: 8 }),
    only: subset('Only these parts', 'PART,…', ['start', 'gains']),
    output: path('JSON file for the results', resultsFile('scale')),
  },
)

requireLinux()
const directory = makeWorkplace()
const backends = await startBackends(directory)
const { title, load } = chooseLoad()
const start = only.includes('start') && { start: await measureStart(backends.ports, directory, workers) }
const gains = only.includes('gains') && {
  load: title,
  rounds,
  seconds,
  connections,
  gains: await measureGains(await startSubjects(backends.ports, directory), load, { rounds, seconds, connections }),
}
const report = {
  ...(existsSync(output) && (loadResults(output) as object)),
  date: new Date().toISOString(),
  machine: describeMachine(),
  ...start,
  ...gains,
} as ScaleReport
saveResults(output, report)
process.stdout.write(`${scaleAsMarkdown(report)}\n`)
process.exit()

// What a second worker brings, beside nginx's; and what a start of many workers takes.
import { integer, path, readArguments } from './arguments.ts'
import { startBackends } from './backends.ts'
import { chooseLoad } from './load/choose.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { resultsFile, saveResults } from './results.ts'
import { scaleAsMarkdown } from './scale/markdown.ts'
import { measureGains } from './scale/measure.ts'
import { measureStart } from './scale/start.ts'
import { startSubjects } from './scale/subjects.ts'
import { makeWorkplace } from './workplace.ts'

const { rounds, seconds, connections, workers, output } = readArguments(
  { name: 'scale.ts', does: 'Measures what a second worker brings, and what a start of many workers takes.' },
  {
    rounds: integer('Measured rounds, after a warm-up', { default: 15 }),
    seconds: integer('Seconds per subject and round', { default: 2 }),
    connections: integer('Kept connections', { default: 64 }),
    workers: integer('How many workers are started at once', { default: 8 }),
    output: path('JSON file for the results', resultsFile('scale')),
  },
)

requireLinux()
const directory = makeWorkplace()
const backends = await startBackends(directory)
const { title, load } = chooseLoad()
const start = await measureStart(backends.ports, directory, workers)
const subjects = await startSubjects(backends.ports, directory)
const gains = await measureGains(subjects, load, { rounds, seconds, connections })
const machine = describeMachine()
const report = { date: new Date().toISOString(), machine, load: title, rounds, seconds, connections, gains, start }
saveResults(output, report)
process.stdout.write(`${scaleAsMarkdown(report)}\n`)
process.exit()

// What choosing costs: CPU of plain GETs, each policy of ours against p2c, in front of backends that are all alike.
import { integer, path, readArguments, subset } from './arguments.ts'
import { startBackends } from './backends.ts'
import { chooseLoad } from './load/choose.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { markdownTable } from './markdown.ts'
import { measure } from './measure.ts'
import { leaveProxyCore } from './pinning.ts'
import { Progress } from './progress.ts'
import { resultsFile, saveResults } from './results.ts'
import { ratios } from './sample.ts'
import { scenarios } from './scenarios.ts'
import { spread } from './statistics.ts'
import { installedOf } from './subjects/installed.ts'
import type { Subject } from './subjects/subject.ts'
import { tailSubjects } from './tail/subjects.ts'
import { makeWorkplace } from './workplace.ts'

const base = 'ours-p2c'
/** What policies that weigh more than requests in flight may cost, as a multiple of that. */
const atMost = 1.03
const ours = tailSubjects.filter(({ isPeer }) => !isPeer)
const subjects: readonly Subject[] = ours.map((subject) => ({ ...subject, backends: 3, isSelective: true }))
const names = ours.map(({ name }) => name)
const usual = ours.filter(({ isOnDemand }) => isOnDemand !== true).map(({ name }) => name)

const { rounds, seconds, connections, only, output } = readArguments(
  {
    name: 'run.ts policy-cost',
    does: `Measures the CPU of plain GETs by policy, against ${base}.`,
    more: `Subjects: ${names.join(', ')}\nRatios of single rounds swing: for a verdict on ${(atMost * 100 - 100).toFixed(0)} %, --rounds 30.`,
  },
  {
    rounds: integer('Measured rounds, after one warm-up round', { default: 9 }),
    seconds: integer('Seconds per subject and round', { default: 2 }),
    connections: integer('Connections of the load generator', { default: 64 }),
    only: subset(`Only these subjects, and ${base}`, 'SUBJECT,…', names, usual),
    output: path('JSON file for the results', resultsFile('policy-cost')),
  },
)

requireLinux()
leaveProxyCore()
const { installed } = installedOf(subjects, [base, ...only])
const progress = new Progress(installed.length * (rounds + 1), seconds + 0.2)
const directory = makeWorkplace()
const [plainGet] = scenarios
const backends = await startBackends(directory)
const { title: load, load: generate } = chooseLoad()
const options = { rounds, seconds, connections }
const setting = { subjects: installed, backends: backends.ports, directory, load: generate, options, progress }
const samples = await measure(plainGet, setting)
progress.end()

const byName = new Map([...samples].map(([{ name }, own]) => [name, own]))
const results = [...samples].map(([{ name, title }, own]) => ({
  name,
  title,
  cpuPerRequest: spread(own.map(({ cpuPerRequest }) => cpuPerRequest)),
  requestsPerSecond: spread(own.map(({ requestsPerSecond }) => requestsPerSecond)),
  ratio: spread(ratios(own, byName.get(base)!, 'cpuPerRequest')),
}))
saveResults(output, {
  date: new Date().toISOString(),
  machine: describeMachine(),
  load,
  backends: backends.title,
  options,
  results,
})
const rows = results.map(({ title, cpuPerRequest, requestsPerSecond, ratio }) => [
  title,
  `${cpuPerRequest.median.toFixed(1)} (${cpuPerRequest.min.toFixed(1)}–${cpuPerRequest.max.toFixed(1)})`,
  `${ratio.median.toFixed(3)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
  requestsPerSecond.median.toFixed(0),
])
const head = [plainGet.title, 'CPU µs/request', `÷ ${base}, round by round`, 'requests/s']
process.stdout.write(
  `${markdownTable(head, rows)}\n\nWanted of load-aware policies: at most ${atMost} × the CPU of ${base}.\n`,
)
if (progress.errors > 0) process.stderr.write(`!! ${progress.errors} requests failed\n`)
process.exit(progress.errors > 0 ? 1 : 0)

// What do many requests in flight cost, and new connections on either side? With the core of the proxy not full, and steady.
import { integer, path, readArguments, subset } from './arguments.ts'
import { chooseLoad } from './load/choose.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { scenariosAsMarkdown } from './markdown.ts'
import { measure } from './measure.ts'
import { startNodeProgram } from './node-program.ts'
import { cores, leaveProxyCore } from './pinning.ts'
import { Progress } from './progress.ts'
import { reportScenario, type Report, type ScenarioReport } from './report.ts'
import { resultsFile, saveResults } from './results.ts'
import type { Scenario } from './scenarios.ts'
import { haproxy, nginx, oursRoomy, replyFrom } from './subjects/all.ts'
import { installedOf } from './subjects/installed.ts'
import { makeWorkplace } from './workplace.ts'

const subjects = [oursRoomy, replyFrom, nginx, haproxy]
const inFlight = [64, 600, 3600] as const
const newConnections = ['clients', 'backends'] as const
const names = [...inFlight.map((count) => `in-flight-${count}`), ...newConnections.map((side) => `new-${side}`)]

const { rounds, seconds, rate, connections, only, scenario, output } = readArguments(
  {
    name: 'connections.ts',
    does: 'Measures CPU per request with many requests in flight, and with a new connection for each.',
    more: `Scenarios:  ${names.join(', ')}\n
A quick look: --rounds 1 --seconds 1 --rate 6000 --only ours-raw,nginx`,
  },
  {
    rounds: integer('Measured rounds, after one to warm up', { default: 5 }),
    seconds: integer('How long each subject is measured in a round', { default: 10 }),
    rate: integer('Requests a second with many in flight: few enough that no core is full', { default: 2000 }),
    connections: integer('Clients at once, where each has a new connection for each request', { default: 64 }),
    only: subset(
      'Only these subjects',
      'SUBJECT,…',
      subjects.map(({ name }) => name),
    ),
    scenario: subset('Only these scenarios', 'SCENARIO,…', names),
    output: path('JSON file for the results', resultsFile('connections')),
  },
)

/** Of a scenario, also how many clients ask. */
interface Crowd extends Scenario {
  readonly connections: number
}

const small = { method: 'GET', upload: 0, download: 100 } as const
const crowds: readonly Crowd[] = [
  ...inFlight.map((count) => ({
    ...small,
    name: `in-flight-${count}`,
    title: `GET 100 B, ${count} in flight, ${rate}/s`,
    // So many clients that each wait so long ask at this rate.
    path: `/wait/${Math.round((count / rate) * 1000)}`,
    connections: count,
  })),
  {
    ...small,
    name: 'new-clients',
    title: 'GET 100 B, a new client connection for each',
    path: '/wait/0',
    closes: true,
    connections,
  },
  {
    ...small,
    name: 'new-backends',
    title: 'GET 100 B, a new backend connection for each',
    path: '/close',
    connections,
  },
]

requireLinux()
leaveProxyCore()
const { installed, skipped } = installedOf(subjects, only)
const chosen = crowds.filter(({ name }) => scenario.includes(name))
const progress = new Progress(chosen.length * installed.length * (rounds + 1), seconds + 0.2)
for (const title of skipped) progress.warn(`${title} is not installed: skipped`)
if (cores === undefined)
  progress.warn('taskset or a second core is missing: no process is pinned, results are unreliable')

const directory = makeWorkplace()
const backends = await Promise.all([1, 2, 3].map(() => startNodeProgram('load', 'waiting.ts', [])))
const { title: load, load: generate } = chooseLoad()
const setting = { backends: backends.map(({ port }) => port), directory, load: generate, subjects: installed, progress }

const measured: ScenarioReport[] = []
for (const one of chosen) {
  const options = { rounds, seconds, connections: one.connections }
  measured.push(reportScenario(one, await measure(one, { ...setting, options })))
}
progress.end()

const report: Report = {
  date: new Date().toISOString(),
  machine: describeMachine(),
  load,
  backends: 'node:http, which waits',
  options: { rounds, seconds, connections },
  skipped,
  scenarios: measured,
  targets: [],
}
saveResults(output, report)
process.stdout.write(`${scenariosAsMarkdown(report)}\n`)
if (progress.errors > 0) process.stderr.write(`!! ${progress.errors} requests failed\n`)
process.exit(progress.errors > 0 ? 1 : 0)

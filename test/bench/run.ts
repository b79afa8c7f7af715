// The benchmark: ours and its peers side by side, one core each in turn, in interleaved rounds.
import { integer, path, readArguments, subset } from './arguments.ts'
import { startBackends } from './backends.ts'
import { chooseLoad } from './load/choose.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { reportAsMarkdown } from './markdown.ts'
import { measure } from './measure.ts'
import { cores, leaveProxyCore } from './pinning.ts'
import { Progress } from './progress.ts'
import { reportScenario, type Report, type ScenarioReport } from './report.ts'
import { resultsFile, saveResults } from './results.ts'
import { scenarios, type ScenarioName } from './scenarios.ts'
import { subjects } from './subjects/all.ts'
import { judgeTargets, type JudgedTarget } from './targets.ts'
import { installedOf } from './subjects/installed.ts'
import { makeWorkplace } from './workplace.ts'

// `run.ts faults …` and others are benchmarks of their own, with arguments of their own; each ends the process.
const others = new Map<string | undefined, () => Promise<unknown>>([
  ['faults', () => import('./faults.ts')],
  ['tail', () => import('./tail.ts')],
  ['policy-cost', () => import('./policy-cost.ts')],
  ['simulated', () => import('./simulated.ts')],
  ['fleet-counts', () => import('./fleet-counts.ts')],
])
const [, , ...given] = process.argv
const first = given.findIndex((argument) => argument !== '--')
const other = others.get(given[first])
if (other !== undefined) {
  process.argv.splice(2, first + 1)
  await other()
}

const names = subjects.map(({ name }) => name)
const scenarioNames = scenarios.map(({ name }) => name)

const { rounds, seconds, connections, only, scenario, output } = readArguments(
  {
    name: 'run.ts',
    does: 'Measures proxies side by side: throughput, CPU per request and latency.',
    more: `Subjects:   ${names.join(', ')}\nScenarios:  ${scenarioNames.join(', ')}\n
The table goes to stdout, progress to stderr. Exits with 1 if a request failed.
A quick look: --rounds 1 --seconds 1 --only ours-raw,floor --scenario get-100
Others: run.ts faults (failing backends), run.ts tail (how late the slowest answers come), run.ts policy-cost (CPU of choosing), run.ts simulated (simulations beside measured tails), run.ts fleet-counts (what instances know of each other); each has --help`,
  },
  {
    rounds: integer('Measured rounds, after one warm-up round', { default: 5 }),
    seconds: integer('Seconds per subject and round', { default: 4 }),
    connections: integer('Connections of the load generator', { default: 64 }),
    only: subset('Only these subjects', 'SUBJECT,…', names),
    scenario: subset('Only these scenarios', 'SCENARIO,…', scenarioNames),
    output: path('JSON file for the results', resultsFile('latest')),
  },
)

/** Runs everything that was asked for; answers how many requests failed. */
async function bench(): Promise<number> {
  const { installed, skipped } = installedOf(subjects, only)
  const chosen = scenarios.filter(({ name }) => scenario.includes(name))

  const subjectsOf = (name: ScenarioName) => installed.filter((one) => one.scenarios?.includes(name) ?? true)
  const starts = chosen.reduce((sum, { name }) => sum + subjectsOf(name).length, 0)

  const progress = new Progress(starts * (rounds + 1), seconds + 0.2)
  for (const title of skipped) progress.warn(`${title} is not installed: skipped`)
  if (cores === undefined)
    progress.warn('taskset or a second core is missing: no process is pinned, results are unreliable')

  const directory = makeWorkplace()
  const backends = await startBackends(directory)
  const { title: load, load: generate } = chooseLoad()
  const options = { rounds, seconds, connections }
  const setting = { backends: backends.ports, directory, load: generate, options, progress }

  const measured: ScenarioReport[] = []
  const targets: JudgedTarget[] = []
  for (const one of chosen) {
    const samples = await measure(one, { ...setting, subjects: subjectsOf(one.name) })
    measured.push(reportScenario(one, samples))
    targets.push(...judgeTargets(one.name, samples))
  }
  progress.end()

  const report: Report = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    load,
    backends: backends.title,
    options,
    skipped,
    scenarios: measured,
    targets,
  }
  saveResults(output, report)
  process.stdout.write(`${reportAsMarkdown(report)}\n`)
  return progress.errors
}

requireLinux()
leaveProxyCore()
await bench().then(
  (errors) => {
    if (errors > 0) process.stderr.write(`!! ${errors} requests failed: do not trust these results\n`)
    process.exitCode = errors > 0 ? 1 : 0
  },
  (error: Error) => {
    process.stderr.write(`!! ${error.message}\n`)
    process.exitCode = 1
  },
)
process.exit()

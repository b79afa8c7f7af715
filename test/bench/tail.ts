// How late are the slowest answers? Ways to choose a backend, ours and those of peers, where backends differ in what they can do.
import { choice, flag, integer, path, readArguments, subset } from './arguments.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { cores, leaveProxyCore } from './pinning.ts'
import { Progress } from './progress.ts'
import { loadResults, resultsFile, saveResults } from './results.ts'
import { installedOf } from './subjects/installed.ts'
import type { Arrivals } from './tail/arrivals.ts'
import { Clients, loadTitle } from './tail/load/clients.ts'
import { leadIn, warmUp } from './tail/load/plan.ts'
import { tailsAsMarkdown } from './tail/markdown.ts'
import { measureTails, secondsOf } from './tail/measure.ts'
import { reportTails, type TailReport, type TailScenarioReport } from './tail/report.ts'
import { scenarios } from './tail/scenarios.ts'
import { tailSubjects } from './tail/subjects.ts'
import { makeWorkplace } from './workplace.ts'

const subjects = tailSubjects
const names = subjects.map(({ name }) => name)
const usual = subjects.filter(({ isOnDemand }) => isOnDemand !== true).map(({ name }) => name)
const scenarioNames = scenarios.map(({ name }) => name)

const { rounds, seconds, quick, arrivals, only, scenario, output, from } = readArguments(
  {
    name: 'run.ts tail',
    does: 'Measures how late the slowest answers come, by how each balancer chooses. Nothing is ejected in it.',
    more: `Subjects:   ${names.join(', ')}
${scenarios.map(({ name, says }, index) => `${(index === 0 ? 'Scenarios:' : '').padEnd(12)}${name.padEnd(15)}${says}`).join('\n')}

The tables go to stdout, progress to stderr; charts.ts draws a chart of the results. Exits with 1 if a request failed.`,
  },
  {
    rounds: integer('Interleaved rounds', { default: 1 }),
    seconds: integer('Seconds that count, for each subject and round', { default: 8 }),
    quick: flag('A quick look: 2 s each, or what a scenario needs at least'),
    arrivals: choice<Arrivals>('When requests of open loops come', ['poisson', 'constant']),
    only: subset('Only these subjects', 'SUBJECT,…', names, usual),
    scenario: subset('Only these scenarios', 'SCENARIO,…', scenarioNames),
    output: path('JSON file for the results', resultsFile('tail')),
    from: path('Measure nothing: print the results in FILE', undefined),
  },
)

const show = (report: TailReport) => process.stdout.write(`${tailsAsMarkdown(report)}\n`)

/** Runs everything that was asked for; answers how many requests failed. */
async function bench(): Promise<number> {
  if (from !== undefined) {
    show(loadResults(from) as TailReport)
    return 0
  }
  const options = { rounds, seconds: quick ? 2 : seconds, arrivals }
  const { installed, skipped } = installedOf(subjects, only)
  const chosen = scenarios.filter(({ name }) => scenario.includes(name))

  const all = chosen.reduce((sum, one) => sum + secondsOf(one, options.seconds) + leadIn + 0.5 + warmUp / rounds, 0)
  const progress = new Progress(chosen.length * installed.length * rounds, all / chosen.length)
  for (const title of skipped) progress.warn(`${title} is not installed: skipped`)
  if (cores === undefined)
    progress.warn('taskset or a second core is missing: no process is pinned, results are unreliable')

  const setting = { subjects: installed, clients: await Clients.start(), options, directory: makeWorkplace(), progress }
  const measured: TailScenarioReport[] = []
  for (const one of chosen) measured.push(reportTails(one, await measureTails(one, setting)))
  progress.end()

  const report: TailReport = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    load: loadTitle,
    options,
    skipped,
    scenarios: measured,
  }
  saveResults(output, report)
  show(report)
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

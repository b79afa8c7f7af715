// How soon is a sick backend noticed, and what do clients see of it? Backends are made sick under load, in many ways.
import { integer, path, readArguments, subset } from './arguments.ts'
import { figuresOf, type FaultFigures } from './faults/figures.ts'
import { faultsAsMarkdown } from './faults/markdown.ts'
import { reportScenario, type FaultReport, type FaultScenarioReport } from './faults/report.ts'
import { calmTime, play } from './faults/run.ts'
import { scenarios, type FaultScenario } from './faults/scenarios.ts'
import { subjects } from './faults/subjects/all.ts'
import type { FaultSubject } from './faults/subjects/subject.ts'
import { describeMachine, requireLinux } from './machine.ts'
import { cores, leaveProxyCore } from './pinning.ts'
import { Progress } from './progress.ts'
import { resultsFile, saveResults } from './results.ts'
import { installedOf } from './subjects/installed.ts'
import { makeWorkplace } from './workplace.ts'

const names = subjects.map(({ name }) => name)
const scenarioNames = scenarios.map(({ name }) => name)

const { seconds, rate, only, scenario, output } = readArguments(
  {
    name: 'run.ts faults',
    does: 'Makes backends fail under load, and measures how soon each balancer notices and what clients see of it.',
    more: `Subjects:   ${names.join(', ')}
${scenarios.map(({ name, title }, index) => `${(index === 0 ? 'Scenarios:' : '').padEnd(12)}${name.padEnd(8)}${title}`).join('\n')}

The tables go to stdout, progress to stderr. Exits with 1 if requests failed before the fault.
A quick look: --seconds 10 --only ours,nginx --scenario kill`,
  },
  {
    seconds: integer('Seconds to observe each fault', { default: 20, minimum: 10 }),
    // With fewer, a probe would be more than 2 % of the requests of half a second.
    rate: integer('Requests a second', { default: 300, minimum: 100 }),
    only: subset('Only these subjects', 'SUBJECT,…', names),
    scenario: subset('Only these scenarios', 'SCENARIO,…', scenarioNames),
    output: path('JSON file for the results', resultsFile('faults')),
  },
)

/** Runs everything that was asked for; answers how many requests failed though nothing was amiss. */
async function bench(): Promise<number> {
  const { installed, skipped } = installedOf(subjects, only)
  const chosen = scenarios.filter(({ name }) => scenario.includes(name))

  const progress = new Progress(chosen.length * installed.length, seconds + calmTime / 1000 + 2)
  for (const title of skipped) progress.warn(`${title} is not installed: skipped`)
  if (cores === undefined)
    progress.warn('taskset or a second core is missing: no process is pinned, results are less reliable')

  const directory = makeWorkplace()
  const measured: FaultScenarioReport[] = []
  for (const one of chosen) {
    const figures: (readonly [string, FaultFigures])[] = []
    for (const subject of installed) figures.push([subject.name, await measure(subject, one, directory, progress)])
    measured.push(reportScenario(one, figures))
  }
  progress.end()

  const report: FaultReport = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    options: { seconds, rate },
    subjects: installed.map((subject) => ({
      name: subject.name,
      title: subject.title,
      version: subject.version()!,
      setting: subject.setting,
    })),
    skipped,
    scenarios: measured,
  }
  saveResults(output, report)
  process.stdout.write(`${faultsAsMarkdown(report)}\n`)
  return progress.errors
}

async function measure(subject: FaultSubject, one: FaultScenario, directory: string, progress: Progress) {
  const where = `${one.name} · ${subject.name}`
  progress.step(where)
  const run = await play(subject, one, { seconds, rate }, directory)
  const figures = figuresOf(run)
  if (figures.calm.failed > 0) progress.failed(figures.calm.failed, `${where}, before the fault`)
  if (one.countsRefusals === true && run.refusedInCalm > 0) {
    progress.warn(
      `${where}: somebody else was refused ${run.refusedInCalm} connections: when it was noticed is not to be trusted`,
    )
  }
  return figures
}

requireLinux()
leaveProxyCore()
await bench().then(
  (errors) => {
    if (errors > 0) process.stderr.write(`!! ${errors} requests failed before the fault: do not trust these results\n`)
    process.exitCode = errors > 0 ? 1 : 0
  },
  (error: Error) => {
    process.stderr.write(`!! ${error.message}\n`)
    process.exitCode = 1
  },
)
process.exit()

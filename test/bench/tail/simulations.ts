import type { RunFigures, SimulationFigures } from 'fastify-balancer/simulate'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { figure, markdownTable } from '../markdown.ts'
import type { TailReport, TailSubjectReport } from './report.ts'

const root = join(import.meta.dirname, '../../..')

/** The scenario files that set up the same as a scenario of the benchmark. */
const files: Readonly<Record<string, string>> = {
  'slow-one': 'one-slow.yaml',
  pauses: 'pauses.yaml',
  hundred: 'five-of-a-hundred.yaml',
  'heavy-tail': 'heavy-tail.yaml',
}

/** One policy in one scenario, measured and simulated. */
export interface Comparison {
  readonly scenario: string
  readonly policy: string
  readonly measured: Compared
  readonly simulated: Compared
}

interface Compared {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** Runs the command as a user does. */
function simulated(file: string): SimulationFigures {
  const command = [join(root, 'packages/fastify-balancer/src/cli.ts'), 'simulate', '--json']
  const path = join(root, 'examples/simulations', file)
  return JSON.parse(execFileSync(process.execPath, [...command, path], { encoding: 'utf8' })) as SimulationFigures
}

function compared(
  scenario: string,
  { policy, throughput, latency }: RunFigures,
  { perSecond, p50, p99 }: TailSubjectReport,
): Comparison {
  return {
    scenario,
    policy,
    measured: { perSecond: perSecond.median, p50: p50.median, p99: p99.median },
    simulated: { perSecond: throughput, p50: latency.p50, p99: latency.p99 },
  }
}

/** Every policy that was measured, and that the scenario file of the same setting simulates. */
export function compare({ scenarios }: TailReport): readonly Comparison[] {
  return scenarios.flatMap(({ name, subjects }) => {
    const file = files[name]
    if (file === undefined) return []
    return simulated(file).runs.flatMap((run) => {
      const subject = subjects.find((one) => one.name === `ours-${run.policy}`)
      return subject === undefined ? [] : [compared(name, run, subject)]
    })
  })
}

/** Side by side: what was measured, what was simulated, and the ratio. */
export function comparisonsAsMarkdown(comparisons: readonly Comparison[]): string {
  const beside = (one: number, other: number) => `${figure(one)} · ${figure(other)} · ${(other / one).toFixed(2)}`
  return markdownTable(
    ['measured · simulated · ratio', 'requests/s', 'p50 ms', 'p99 ms'],
    comparisons.map(({ scenario, policy, measured, simulated: told }) => [
      `${scenario}, ${policy}`,
      beside(measured.perSecond, told.perSecond),
      beside(measured.p50, told.p50),
      beside(measured.p99, told.p99),
    ]),
  )
}

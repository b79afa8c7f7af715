// Room `simulation/command`: `fastify-balancer simulate FILE`: reads a scenario, prints a table, draws a chart.
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { CommandError } from '../../command-error.ts'
import { faultReport } from '../../configuration/document/fault-report.ts'
import { integer } from '../../values/plain-values.ts'
import { chart, simulateScenario, table } from '../simulate.ts'
import { ProgressLine } from './progress.ts'
import { readScenarioFile } from './scenario-file.ts'

/** What `fastify-balancer simulate --help` prints. */
const simulateHelp = `fastify-balancer simulate [options] <scenario.yaml>

Simulates a balancer in simulated time: its own policies, queue, retries, health
checks and circuit breakers among simulated servers. Prints for each policy the
latencies of its requests, answers per second, errors, what each backend got,
and the longest time in which a backend that could be used got nothing
(starved). With the same seed, the results are the same.

  --svg <file>    draws the latencies of each policy
  --json          prints the results as JSON
  --seed <n>      in place of the seed of the scenario

A scenario, in YAML or JSON:

  backends:
    - { id: fast, count: 3, slots: 20, service: { mean: 5 } }
    - { id: slow, slots: 20, service: { mean: 50 } }
  arrivals: { rate: 5000 }
  policies: [round-robin, p2c, least-requests]
  balancer: { healthCheck: false }
  duration: 60000

Exit codes: 0 simulated, 1 faults in the scenario, 2 wrong arguments.
`

function argumentsOf(argv: readonly string[]) {
  try {
    const options = {
      svg: { type: 'string' },
      json: { type: 'boolean' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    throw new CommandError(`${(error as Error).message.replace(/\n.*|\. To specify.*/s, '')}; see simulate --help`, 2)
  }
}

async function draw(file: string, svg: string): Promise<void> {
  try {
    await writeFile(file, svg)
  } catch (error) {
    throw new CommandError(`cannot write ${file}: ${(error as Error).message}`, 2)
  }
}

/** `fastify-balancer simulate`: answers the exit code. @throws CommandError */
export async function simulateCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(args)
  if (values.help === true) {
    process.stdout.write(simulateHelp)
    return 0
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0)
    throw new CommandError('simulate needs one scenario file; see simulate --help', 2)
  const { scenario, faults, text } = await readScenarioFile(file)
  const isTerminal = process.stderr.isTTY
  if (scenario === undefined) {
    const colors = isTerminal && (process.env['NO_COLOR'] ?? '') === ''
    process.stderr.write(`${faultReport(faults, text, { excerpts: isTerminal, colors })}\n`)
    return 1
  }
  const seed = values.seed === undefined ? scenario.seed : integer('--seed', values.seed, 4_294_967_295)
  const progress = isTerminal ? new ProgressLine((line) => void process.stderr.write(line)) : undefined
  const figures = await simulateScenario({ ...scenario, seed }, progress?.tell ?? (() => {}))
  progress?.clear()
  process.stdout.write(values.json === true ? `${JSON.stringify(figures, null, 2)}\n` : table(figures))
  if (values.svg !== undefined) await draw(values.svg, chart(figures, basename(file).replace(/\.\w+$/, '')))
  return 0
}

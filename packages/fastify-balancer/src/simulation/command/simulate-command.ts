// Room `simulation/command`: `fastify-balancer simulate FILE`: reads a scenario, prints a table, draws a chart.
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { faultReport } from '../../configuration/document/fault-report.ts'
import { writeError } from '../../file-error.ts'
import { parsedArguments } from '../../values/parsed-arguments.ts'
import { integer } from '../../values/plain-values.ts'
import { wrong } from '../../values/wrong-arguments.ts'
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

const options = {
  svg: { type: 'string' },
  json: { type: 'boolean' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Opened before anything is simulated, which may take minutes; what is in the file stays until there is a chart. */
async function openChart(file: string) {
  try {
    return await open(file, 'a')
  } catch (error) {
    throw writeError(file, error, 2)
  }
}

/** `fastify-balancer simulate`: answers the exit code. @throws CommandError */
export async function simulateCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsedArguments(args, options, 'simulate')
  if (values.help === true) {
    process.stdout.write(simulateHelp)
    return 0
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw wrong('simulate needs one scenario file', 'simulate')
  const given = values.seed === undefined ? undefined : integer('--seed', values.seed, 4_294_967_295, 'simulate')
  const { scenario, faults, text } = await readScenarioFile(file)
  const isTerminal = process.stderr.isTTY
  if (scenario === undefined) {
    const colors = isTerminal && (process.env['NO_COLOR'] ?? '') === ''
    process.stderr.write(`${faultReport(faults, text, { excerpts: isTerminal, colors })}\n`)
    return 1
  }
  const drawing = values.svg === undefined ? undefined : await openChart(values.svg)
  const seed = given ?? scenario.seed
  const progress = isTerminal ? new ProgressLine((line) => void process.stderr.write(line)) : undefined
  const figures = await simulateScenario({ ...scenario, seed }, progress?.tell ?? (() => {}))
  progress?.clear()
  process.stdout.write(values.json === true ? `${JSON.stringify(figures, null, 2)}\n` : table(figures))
  if (drawing !== undefined) {
    await drawing.truncate()
    await drawing.writeFile(chart(figures, basename(file).replace(/\.\w+$/, '')))
    await drawing.close()
  }
  return 0
}

import type { Machine } from '../machine.ts'
import { markdownTable } from '../markdown.ts'
import type { Spread } from '../statistics.ts'
import type { Gain } from './measure.ts'
import type { StartCost } from './start.ts'

/** What the benchmark of several workers has measured. */
export interface ScaleReport {
  readonly date: string
  readonly machine: Machine
  readonly load: string
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly gains: readonly Gain[]
  readonly start: StartCost
}

const range = ({ median, min, max }: Spread) => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`

/** The results as tables, with how they were measured. */
export function scaleAsMarkdown({ gains, start, rounds, seconds, connections, ...how }: ScaleReport): string {
  const rows = gains.map(({ name, connections: kind, cpuOfOne, cpuRatio, cpuQuartiles, throughputRatio, errors }) => [
    `${name === 'ours' ? '**fastify-balancer**' : name}, ${kind}`,
    cpuOfOne.median.toFixed(1),
    range(cpuRatio),
    cpuQuartiles.map((one) => one.toFixed(2)).join('–'),
    range(throughputRatio),
    String(errors),
  ])
  const head = [
    'two workers ÷ one',
    'CPU µs/request with one',
    'CPU per request',
    'half of the rounds',
    'throughput',
    'errors',
  ]
  const memory = start.workerMemory.toSorted((a, b) => a - b)
  const sentences = [
    `GET 100 B, ${connections} connections, medians of ${rounds} interleaved rounds of ${seconds} s (minimum and maximum in parentheses);`,
    `${how.machine.cpu}, ${how.machine.cores} cores, which proxy, load (${how.load}) and backends share; Node ${how.machine.node}, ${how.date.slice(0, 10)}.`,
    `A start of ${start.workers} workers took ${start.seconds.toFixed(1)} s until all were ready, and one of as many processes that load Fastify and undici only ${start.bareSeconds.toFixed(1)} s; each then had ${memory[0]!.toFixed(0)}–${memory.at(-1)!.toFixed(0)} MB of memory, the parent ${start.parentMemory.toFixed(0)} MB.`,
  ]
  return `${markdownTable(head, rows)}\n\n${sentences.join(' ')}`
}

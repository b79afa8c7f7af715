import { cpuTime } from '../cpu-time.ts'
import type { Load } from '../load/load.ts'
import { rotated } from '../measure.ts'
import { scenarios } from '../scenarios.ts'
import { spread, type Spread } from '../statistics.ts'
import type { Subject } from './subjects.ts'

const [plainGet] = scenarios

/** What clients do with a connection after a response. */
const clients = {
  'kept connections': plainGet,
  'a connection for each request': { ...plainGet, closes: true },
} as const

/** How a proxy does with two workers, compared with one in the same round. */
export interface Gain {
  readonly name: Subject['name']
  readonly connections: keyof typeof clients
  /** CPU for each request with one worker, all processes together (µs). */
  readonly cpuOfOne: Spread
  /** CPU for each request with two workers ÷ with one. */
  readonly cpuRatio: Spread
  /** Half of the rounds are between these. */
  readonly cpuQuartiles: readonly [number, number]
  /** Requests per second with two workers ÷ with one. */
  readonly throughputRatio: Spread
  readonly errors: number
}

interface Sample {
  readonly cpu: number
  readonly requestsPerSecond: number
  readonly errors: number
}

/** Interleaved rounds: what disturbs one disturbs all. Load, backends and proxies share all cores. */
export async function measureGains(
  subjects: readonly Subject[],
  load: Load,
  options: { readonly rounds: number; readonly seconds: number; readonly connections: number },
): Promise<readonly Gain[]> {
  const names = [...new Set(subjects.map(({ name }) => name))]
  const gains: Gain[] = []
  for (const connections of Object.keys(clients) as (keyof typeof clients)[]) {
    const samples = await measureRounds(subjects, load, connections, options)
    for (const name of names)
      gains.push(gainOf({ name, connections }, ofWorkers(samples, name, 1), ofWorkers(samples, name, 2)))
  }
  return gains
}

async function measureRounds(
  subjects: readonly Subject[],
  load: Load,
  client: keyof typeof clients,
  { rounds, seconds, connections }: { readonly rounds: number; readonly seconds: number; readonly connections: number },
): Promise<ReadonlyMap<Subject, Sample[]>> {
  const samples = new Map<Subject, Sample[]>(subjects.map((subject) => [subject, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const subject of rotated(subjects, round)) {
      const { name, workers, server } = subject
      const stage = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`
      process.stderr.write(`${client} · ${stage} · ${name} ${workers}\n`)
      const before = cpuTime(server.child.pid)
      const report = await load(server.port, clients[client], { connections, seconds: round === 0 ? 8 : seconds })
      server.child.assertAlive()
      const cpu = ((cpuTime(server.child.pid) - before) / report.requests) * 1e6
      const { requests, errors } = report
      if (round > 0) samples.get(subject)!.push({ cpu, requestsPerSecond: requests / report.seconds, errors })
    }
  }
  return samples
}

function ofWorkers(samples: ReadonlyMap<Subject, Sample[]>, name: string, workers: number): readonly Sample[] {
  return [...samples].find(([subject]) => subject.name === name && subject.workers === workers)![1]
}

function gainOf(what: Pick<Gain, 'name' | 'connections'>, one: readonly Sample[], two: readonly Sample[]): Gain {
  const cpuRatios = two.map(({ cpu }, round) => cpu / one[round]!.cpu).toSorted((a, b) => a - b)
  const quartile = (share: number) => cpuRatios[Math.round(share * (cpuRatios.length - 1))]!
  return {
    ...what,
    cpuOfOne: spread(one.map(({ cpu }) => cpu)),
    cpuRatio: spread(cpuRatios),
    cpuQuartiles: [quartile(0.25), quartile(0.75)],
    throughputRatio: spread(
      two.map(({ requestsPerSecond }, round) => requestsPerSecond / one[round]!.requestsPerSecond),
    ),
    errors: [...one, ...two].reduce((sum, { errors }) => sum + errors, 0),
  }
}

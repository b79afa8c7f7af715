import { cpuTime } from '../cpu-time.ts'
import type { Load } from '../load/load.ts'
import { rotated } from '../measure.ts'
import { scenarios } from '../scenarios.ts'
import { spread, type Spread } from '../statistics.ts'
import type { Subject } from './subjects.ts'

const [plainGet] = scenarios

/** How a proxy does with two workers, compared with one in the same round. */
export interface Gain {
  readonly name: Subject['name']
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
  { rounds, seconds, connections }: { readonly rounds: number; readonly seconds: number; readonly connections: number },
): Promise<readonly Gain[]> {
  const samples = new Map<Subject, Sample[]>(subjects.map((subject) => [subject, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const subject of rotated(subjects, round)) {
      const { name, workers, server } = subject
      process.stderr.write(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`} · ${name} ${workers}\n`)
      const before = cpuTime(server.child.pid)
      const report = await load(server.port, plainGet, { connections, seconds: round === 0 ? 8 : seconds })
      server.child.assertAlive()
      const cpu = ((cpuTime(server.child.pid) - before) / report.requests) * 1e6
      const { requests, errors } = report
      if (round > 0) samples.get(subject)!.push({ cpu, requestsPerSecond: requests / report.seconds, errors })
    }
  }
  const names = [...new Set(subjects.map(({ name }) => name))]
  return names.map((name) => gainOf(name, ofWorkers(samples, name, 1), ofWorkers(samples, name, 2)))
}

function ofWorkers(samples: ReadonlyMap<Subject, Sample[]>, name: string, workers: number): readonly Sample[] {
  return [...samples].find(([subject]) => subject.name === name && subject.workers === workers)![1]
}

function gainOf(name: Subject['name'], one: readonly Sample[], two: readonly Sample[]): Gain {
  const cpuRatios = two.map(({ cpu }, round) => cpu / one[round]!.cpu).toSorted((a, b) => a - b)
  const quartile = (share: number) => cpuRatios[Math.round(share * (cpuRatios.length - 1))]!
  return {
    name,
    cpuOfOne: spread(one.map(({ cpu }) => cpu)),
    cpuRatio: spread(cpuRatios),
    cpuQuartiles: [quartile(0.25), quartile(0.75)],
    throughputRatio: spread(
      two.map(({ requestsPerSecond }, round) => requestsPerSecond / one[round]!.requestsPerSecond),
    ),
    errors: [...one, ...two].reduce((sum, { errors }) => sum + errors, 0),
  }
}

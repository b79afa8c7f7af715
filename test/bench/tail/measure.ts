import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { cpuTime, machineTime } from '../cpu-time.ts'
import { rotated } from '../measure.ts'
import type { RunningServer } from '../node-program.ts'
import type { Progress } from '../progress.ts'
import type { Arrivals } from './arrivals.ts'
import { Backends } from './backends/backends.ts'
import type { Clients } from './load/clients.ts'
import type { LoadFigures } from './load/figures.ts'
import { leadIn, warmUp } from './load/plan.ts'
import type { TailScenario } from './scenarios.ts'
import type { TailSubject } from './subjects.ts'

/** How long, and how requests come. */
export interface TailOptions {
  readonly rounds: number
  /** That count, in each run; more where a scenario needs them. */
  readonly seconds: number
  readonly arrivals: Arrivals
}

/** One run: what clients saw, and what it took. */
export interface TailSample extends LoadFigures {
  /** The part of all attempts that each backend got, 0–1. */
  readonly shares: readonly number[]
  /** µs of CPU of the proxy (of both, where there are two), with all its threads and workers. */
  readonly cpuPerRequest: number
  /** The share of its core that the proxy used. */
  readonly busy: number
  /** The share of one core that clients and backends used. */
  readonly loadBusy: number
  /** What other processes used meanwhile, as a share of one core. */
  readonly othersBusy: number
}

/** The samples of each subject, one for each round. */
export type TailSamples = ReadonlyMap<TailSubject, readonly TailSample[]>

/** What stays the same for all scenarios. */
export interface TailBench {
  readonly subjects: readonly TailSubject[]
  readonly clients: Clients
  readonly options: TailOptions
  readonly directory: string
  readonly progress: Progress
}

/** The share of a core from which on what others do is seen in the latencies. */
const disturbing = 0.1

/** Seconds that count in a run. */
export const secondsOf = ({ atLeast = 0 }: TailScenario, seconds: number): number => Math.max(atLeast, seconds)

/** Starts all subjects in front of the same backends, and measures them in turns. In a round, all get the same requests. */
export async function measureTails(scenario: TailScenario, bench: TailBench): Promise<TailSamples> {
  const { subjects, options, progress } = bench
  progress.say(`${scenario.title} · starting all subjects`)
  const backends = await Backends.start(scenario.backends)
  const servers = new Map<TailSubject, readonly RunningServer[]>()
  for (const subject of subjects) servers.set(subject, await startSubject(subject, scenario, backends, bench))

  for (const [{ name }, own] of servers) {
    progress.say(`${scenario.title} · warm-up · ${name}`)
    await backends.begin()
    await bench.clients.carryOut({ ...warmUpPlan, ports: own.map(({ port }) => port) })
  }

  const samples = new Map<TailSubject, TailSample[]>(subjects.map((subject) => [subject, []]))
  for (let round = 1; round <= options.rounds; round++)
    for (const subject of rotated(subjects, round - 1)) {
      const where = `${scenario.title} · round ${round} of ${options.rounds} · ${subject.name}`
      progress.step(where)
      const sample = await measureOnce(servers.get(subject)!, scenario, backends, round, bench)
      for (const [problem, count] of Object.entries(sample.errors)) progress.failed(count, `${where}, ${problem}`)
      if (sample.othersBusy > disturbing)
        progress.warn(`${where}: others used ${Math.round(sample.othersBusy * 100)} % of a core: not to be trusted`)
      samples.get(subject)!.push(sample)
    }
  await Promise.all([backends.child.stop(), ...[...servers.values()].flat().map(({ child }) => child.stop())])
  return samples
}

const warmUpPlan = {
  load: { kind: 'closed', clients: 32 },
  work: 'none',
  arrivals: 'constant',
  leadIn: 0,
  seconds: warmUp,
  seed: 1,
} as const

function startSubject(
  subject: TailSubject,
  { balancers }: TailScenario,
  { ports }: Backends,
  { directory }: TailBench,
) {
  const starting = Array.from({ length: balancers }, () =>
    subject.start(ports, mkdtempSync(join(directory, `${subject.name}-`))),
  )
  return Promise.all(starting)
}

async function measureOnce(
  servers: readonly RunningServer[],
  scenario: TailScenario,
  backends: Backends,
  seed: number,
  { clients, options }: TailBench,
): Promise<TailSample> {
  const used = (children: readonly RunningServer['child'][]) => children.reduce((sum, { pid }) => sum + cpuTime(pid), 0)
  const proxies = servers.map(({ child }) => child)
  const others = [clients.child, backends.child]
  const [proxyBefore, loadBefore, allBefore, startedAt] = [
    used(proxies),
    used(others),
    machineTime(),
    performance.now(),
  ]
  await backends.begin()
  const figures = await clients.carryOut({
    ports: servers.map(({ port }) => port),
    load: scenario.load,
    work: scenario.work,
    arrivals: options.arrivals,
    leadIn,
    seconds: secondsOf(scenario, options.seconds),
    seed,
  })
  const took = (performance.now() - startedAt) / 1000
  for (const proxy of proxies) proxy.assertAlive()
  const [proxyUsed, loadUsed, allUsed] = [
    used(proxies) - proxyBefore,
    used(others) - loadBefore,
    machineTime() - allBefore,
  ]
  const counts = await backends.counts()
  const all = counts.reduce((sum, count) => sum + count, 0)
  return {
    ...figures,
    shares: counts.map((count) => count / all),
    cpuPerRequest: (proxyUsed / figures.sent) * 1e6,
    busy: proxyUsed / took,
    loadBusy: loadUsed / took,
    othersBusy: Math.max(0, allUsed - proxyUsed - loadUsed) / took,
  }
}

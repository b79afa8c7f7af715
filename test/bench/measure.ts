import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { cpuTime } from './cpu-time.ts'
import type { Load, LoadOptions } from './load/load.ts'
import type { RunningServer } from './node-program.ts'
import type { Progress } from './progress.ts'
import type { Sample, Samples } from './sample.ts'
import type { Scenario } from './scenarios.ts'
import type { Subject } from './subjects/subject.ts'
import { verify } from './verify.ts'

/** What stays the same for all scenarios. */
export interface Bench {
  readonly subjects: readonly Subject[]
  readonly backends: readonly number[]
  readonly directory: string
  readonly load: Load
  readonly options: LoadOptions & { readonly rounds: number }
  readonly progress: Progress
}

/** Starts all subjects, makes sure that they forward, warms each up, and measures them in turns. */
export async function measure(scenario: Scenario, bench: Bench): Promise<Samples> {
  const { subjects, options, progress } = bench
  const samples = new Map<Subject, Sample[]>(subjects.map((subject) => [subject, []]))
  const servers = await startAll(scenario, bench)

  // An idle proxy costs nothing, so all stay up: what disturbs one round disturbs all subjects alike.
  for (let round = 0; round <= options.rounds; round++) {
    for (const subject of rotated(subjects, round)) {
      const stage = round === 0 ? 'warm-up' : `round ${round} of ${options.rounds}`
      progress.step(`${scenario.title} · ${stage} · ${subject.name}`)
      const sample = await measureOnce(servers.get(subject)!, scenario, bench)
      if (sample.errors > 0) progress.failed(sample.errors, `${subject.name} in ${scenario.title}, ${stage}`)
      if (round > 0) samples.get(subject)!.push(sample)
    }
  }
  await Promise.all([...servers.values()].map(({ child }) => child.stop()))
  return samples
}

async function startAll(scenario: Scenario, { subjects, backends, directory, progress }: Bench) {
  progress.say(`${scenario.title} · starting all subjects`)
  const own = mkdtempSync(join(directory, `${scenario.name}-`))
  const servers = new Map<Subject, RunningServer>()
  for (const subject of subjects) {
    const server = await subject.start(backends, own)
    await verify(subject, server.port, scenario, backends)
    servers.set(subject, server)
  }
  return servers
}

async function measureOnce({ port, child }: RunningServer, scenario: Scenario, { load, options }: Bench) {
  const before = cpuTime(child.pid)
  const { requests, seconds, p50, p99, errors } = await load(port, scenario, options)
  child.assertAlive()
  const used = cpuTime(child.pid) - before
  return {
    requestsPerSecond: requests / seconds,
    cpuPerRequest: (used / requests) * 1e6,
    busy: used / seconds,
    p50,
    p99,
    errors,
  } satisfies Sample
}

/** Each round begins with another subject, so that none always follows the same one. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const first = by % list.length
  return [...list.slice(first), ...list.slice(0, first)]
}

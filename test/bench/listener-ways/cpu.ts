import { cpuTime, descendants } from '../cpu-time.ts'
import type { Load } from '../load/load.ts'
import { rotated } from '../measure.ts'
import type { RunningServer } from '../node-program.ts'
import { scenarios } from '../scenarios.ts'
import { ways, sizes, startWorkers, type Way } from './ways.ts'

const [plainGet] = scenarios
const asked = {
  'kept connections': plainGet,
  'one request each': { ...plainGet, closes: true },
} as const
const connections = 64
/** Each worker compiles for itself: until then, a request takes several times as much. */
const secondsForEachWorker = { 'kept connections': 8, 'one request each': 1 } as const

/** CPU of the proxy for each request, the parent's included. */
export interface CpuCost {
  readonly connections: keyof typeof asked
  /** Without one, it is a process by itself. */
  readonly way?: Way
  readonly workers: number
  /** µs, one for each round. */
  readonly perRequest: readonly number[]
  /** Of that, the parent's. */
  readonly parent: readonly number[]
  /** Of one process in the same round. */
  readonly ratios: readonly number[]
  readonly errors: number
}

/** Seconds of CPU, or µs for each request. */
interface Used {
  readonly all: number
  readonly parent: number
}

interface Sample extends Used {
  readonly errors: number
}

function used(pid: number): Used {
  const all = cpuTime(pid)
  const [, ...workers] = descendants(pid)
  return { all, parent: all - workers.reduce((sum, worker) => sum + cpuTime(worker), 0) }
}

interface Subject {
  readonly way?: Way
  readonly workers: number
  readonly server: RunningServer
}

/** Interleaved rounds: what disturbs one disturbs all. */
export async function measureCpu(
  backends: readonly number[],
  load: Load,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<CpuCost[]> {
  const wanted = [{ workers: 1 }, ...ways.flatMap((way) => sizes.map((workers) => ({ way, workers })))]
  const subjects: Subject[] = []
  for (const one of wanted) subjects.push({ ...one, server: await startWorkers({ ...one, backends }) })

  const costs: CpuCost[] = []
  for (const name of Object.keys(asked) as (keyof typeof asked)[]) {
    const samples = new Map<Subject, Sample[]>(subjects.map((subject) => [subject, []]))
    for (let round = 0; round <= rounds; round++) {
      for (const subject of rotated(subjects, round)) {
        const { port, child } = subject.server
        process.stderr.write(
          `CPU · ${name} · round ${round} of ${rounds} · ${subject.way ?? 'one process'} ${subject.workers}\n`,
        )
        const before = used(child.pid)
        const report = await load(port, asked[name], {
          connections,
          seconds: round === 0 ? secondsForEachWorker[name] * subject.workers : seconds,
        })
        const after = used(child.pid)
        const each = (part: keyof Used) => ((after[part] - before[part]) / report.requests) * 1e6
        if (round > 0) samples.get(subject)!.push({ all: each('all'), parent: each('parent'), errors: report.errors })
      }
    }
    const base = samples.get(subjects[0]!)!
    for (const [{ way, workers }, own] of samples)
      costs.push({
        connections: name,
        ...(way !== undefined && { way }),
        workers,
        perRequest: own.map(({ all }) => all),
        parent: own.map(({ parent }) => (way === undefined ? 0 : parent)),
        ratios: own.map(({ all }, round) => all / base[round]!.all),
        errors: own.reduce((sum, { errors }) => sum + errors, 0),
      })
  }
  await Promise.all(subjects.map(({ server }) => server.child.stop()))
  return costs
}

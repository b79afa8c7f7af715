import type { Machine } from '../machine.ts'
import { spread, type Spread } from '../statistics.ts'
import { drawing } from './distributions.ts'
import { latenciesOf, type Latencies } from './load/figures.ts'
import type { TailOptions, TailSamples } from './measure.ts'
import { reachOf, type Reach } from './reach.ts'
import type { TailScenario } from './scenarios.ts'

/** What a whole run has found, as `results/tail.json` keeps it. */
export interface TailReport {
  /** ISO 8601. */
  readonly date: string
  readonly machine: Machine
  readonly load: string
  readonly options: TailOptions
  readonly skipped: readonly string[]
  readonly scenarios: readonly TailScenarioReport[]
}

/** One scenario. */
export interface TailScenarioReport extends Pick<TailScenario, 'name' | 'title' | 'says'> {
  /** If nobody ever waited and all were done by the fastest backend: no balancer can do better. */
  readonly floor: Latencies
  /** Lowest p99 first. */
  readonly subjects: readonly TailSubjectReport[]
  /** Ours against the best peers; empty when no peer has run. */
  readonly reach: readonly Reach[]
}

/** One subject in one scenario: figures over all rounds. */
export interface TailSubjectReport extends Readonly<Record<keyof Latencies, Spread>> {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly isPeer: boolean
  readonly perSecond: Spread
  readonly errors: number
  readonly unanswered: number
  /** Backends that are alike, in order: how many, and the least and most that one of them got, 0–1. */
  readonly shares: readonly { readonly count: number; readonly min: number; readonly max: number }[]
  readonly cpuPerRequest: Spread
  readonly busy: Spread
  readonly loadBusy: Spread
  readonly othersBusy: Spread
}

/** Sums up one scenario. */
export function reportTails(scenario: TailScenario, samples: TailSamples): TailScenarioReport {
  const { name, title, says, backends } = scenario
  const subjects = [...samples].map(([subject, own]) => {
    const over = (figure: (sample: (typeof own)[number]) => number) => spread(own.map(figure))
    const sum = (figure: (sample: (typeof own)[number]) => number) =>
      own.reduce((total, sample) => total + figure(sample), 0)
    const means = backends.map((_, index) => sum(({ shares }) => shares[index]!) / own.length)
    return {
      name: subject.name,
      title: subject.title,
      version: subject.version()!,
      isPeer: subject.isPeer,
      perSecond: over(({ perSecond }) => perSecond),
      p50: over(({ p50 }) => p50),
      p95: over(({ p95 }) => p95),
      p99: over(({ p99 }) => p99),
      p999: over(({ p999 }) => p999),
      errors: sum(({ errors }) => Object.values(errors).reduce((total, count) => total + count, 0)),
      unanswered: sum(({ unanswered }) => unanswered),
      shares: sharesOfAlike(backends, means),
      cpuPerRequest: over(({ cpuPerRequest }) => cpuPerRequest),
      busy: over(({ busy }) => busy),
      loadBusy: over(({ loadBusy }) => loadBusy),
      othersBusy: over(({ othersBusy }) => othersBusy),
    }
  })
  subjects.sort((one, other) => one.p99.median - other.p99.median)
  return { name, title, says, floor: floorOf(scenario), subjects, reach: reachOf(samples) }
}

/** Neighbours with the same settings together. */
export function sharesOfAlike(settings: readonly object[], shares: readonly number[]): TailSubjectReport['shares'] {
  const groups: { key: string; shares: number[] }[] = []
  for (const [index, setting] of settings.entries()) {
    const key = JSON.stringify(setting)
    if (groups.at(-1)?.key !== key) groups.push({ key, shares: [] })
    groups.at(-1)!.shares.push(shares[index]!)
  }
  return groups.map(({ shares: own }) => ({ count: own.length, min: Math.min(...own), max: Math.max(...own) }))
}

function floorOf({ backends, work }: TailScenario): Latencies {
  const count = 100_000
  let drawn = 0
  // Evenly from all that may be drawn: then quantiles are those of the distribution.
  const draw = drawing(work, () => (drawn++ + 0.5) / count)
  const fastest = Math.min(...backends.map(({ mean }) => mean))
  return latenciesOf(Array.from({ length: count }, () => draw() * fastest))
}

import type { Machine } from './machine.ts'
import { ratios, type Sample, type Samples } from './sample.ts'
import type { Scenario } from './scenarios.ts'
import { spread, type Spread } from './statistics.ts'
import { oursRaw } from './subjects/all.ts'
import type { Subject } from './subjects/subject.ts'
import type { JudgedTarget } from './targets.ts'

/** What a whole run has found, as `results/latest.json` keeps it. */
export interface Report {
  /** ISO 8601. */
  readonly date: string
  readonly machine: Machine
  readonly load: string
  readonly backends: string
  readonly options: { readonly rounds: number; readonly seconds: number; readonly connections: number }
  readonly skipped: readonly string[]
  readonly scenarios: readonly ScenarioReport[]
  readonly targets: readonly JudgedTarget[]
}

/** One scenario. */
export interface ScenarioReport {
  readonly name: string
  readonly title: string
  /** Least CPU first. */
  readonly subjects: readonly SubjectReport[]
}

/** One subject in one scenario: figures over all rounds. */
export interface SubjectReport {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly cpuPerRequest: Spread
  readonly requestsPerSecond: Spread
  readonly p50: Spread
  readonly p99: Spread
  readonly busy: Spread
  readonly errors: number
  /** Our raw lane against this one, round by round; missing when ours did not run. */
  readonly ours?: { readonly throughput: Spread; readonly cpu: Spread }
}

/** Sums up one scenario. */
export function reportScenario({ name, title }: Scenario, samples: Samples): ScenarioReport {
  const ours = [...samples].find(([subject]) => subject.name === oursRaw.name)?.[1]
  const subjects = [...samples].map(([subject, own]) => reportSubject(subject, own, ours))
  subjects.sort((one, other) => one.cpuPerRequest.median - other.cpuPerRequest.median)
  return { name, title, subjects }
}

function reportSubject(subject: Subject, own: readonly Sample[], ours: readonly Sample[] | undefined): SubjectReport {
  const over = (figure: (sample: Sample) => number) => spread(own.map(figure))
  return {
    name: subject.name,
    title: subject.title,
    version: subject.version()!,
    cpuPerRequest: over(({ cpuPerRequest }) => cpuPerRequest),
    requestsPerSecond: over(({ requestsPerSecond }) => requestsPerSecond),
    p50: over(({ p50 }) => p50),
    p99: over(({ p99 }) => p99),
    busy: over(({ busy }) => busy),
    errors: own.reduce((sum, { errors }) => sum + errors, 0),
    ...(ours !== undefined && {
      ours: {
        throughput: spread(ratios(ours, own, 'requestsPerSecond')),
        cpu: spread(ratios(ours, own, 'cpuPerRequest')),
      },
    }),
  }
}

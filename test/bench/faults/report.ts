import type { Machine } from '../machine.ts'
import type { FaultFigures } from './figures.ts'
import type { FaultOptions } from './run.ts'
import type { FaultScenario } from './scenarios.ts'

/** What a whole run has found, as `results/faults.json` keeps it. */
export interface FaultReport {
  /** ISO 8601. */
  readonly date: string
  readonly machine: Machine
  readonly options: FaultOptions
  readonly subjects: readonly FaultSubjectReport[]
  readonly skipped: readonly string[]
  readonly scenarios: readonly FaultScenarioReport[]
}

/** Who was tested, and how it was set up. */
interface FaultSubjectReport {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly setting: string
}

/** One scenario: figures of each subject, by its name. The one whose clients saw least of it comes first. */
export interface FaultScenarioReport extends Pick<FaultScenario, 'name' | 'title' | 'shows'> {
  readonly figures: Readonly<Record<string, FaultFigures>>
}

/** Sums up one scenario. */
export function reportScenario(
  { name, title, shows }: FaultScenario,
  figures: readonly (readonly [subject: string, FaultFigures])[],
): FaultScenarioReport {
  const sorted = [...figures].sort(
    ([, one], [, other]) => one.failed - other.failed || one.slow - other.slow || one.p99 - other.p99,
  )
  return { name, title, shows, figures: Object.fromEntries(sorted) }
}

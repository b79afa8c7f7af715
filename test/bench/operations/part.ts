/** What one part of the benchmark has done and found. */
export interface Finding {
  readonly part: string
  /** In words. */
  readonly did: string
  readonly figures: Readonly<Record<string, number>>
  /** What should not be; none = it holds. */
  readonly faults: readonly string[]
}

/** How much is to be done. */
export interface Amount {
  /** How often it is reloaded. */
  readonly reloads: number
  /** How often a worker is killed, and how often all are replaced. */
  readonly times: number
  /** How long writers write, and probes are counted. */
  readonly seconds: number
  readonly directory: string
}

/** A line for each of these that is not so. */
export function faultsOf(checks: Readonly<Record<string, boolean>>): readonly string[] {
  return Object.entries(checks).flatMap(([what, holds]) => (holds ? [] : [what]))
}

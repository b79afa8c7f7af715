import type { Registry } from 'prom-client'
import { Family, type Sample } from '../families/family.ts'

/** A line of a metric that is not ours. JSON has no NaN. */
interface ReadingLine extends Omit<Sample, 'value'> {
  readonly value: number | null
  readonly exemplar?: unknown
}

/** The values of a metric that is not ours: of the app, or of the process. */
export interface Reading {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly ReadingLine[]
}

/** A metric as prom-client has it. */
export interface Readable {
  readonly name: string
  get(): Promise<Reading>
}

/** The metrics of a registry that are not ours. */
export function othersIn(registry: Registry): Readable[] {
  const all = registry.getMetricsAsArray() as unknown as readonly (Readable | Family)[]
  return all.filter((metric) => !(metric instanceof Family))
}

/** Reads those metrics. One that cannot be read is left out: its own instance tells why. */
export async function readingsOf(registry: Registry): Promise<Reading[]> {
  const all = await Promise.allSettled(othersIn(registry).map((metric) => metric.get()))
  return all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

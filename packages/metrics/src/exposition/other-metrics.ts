import { Registry, type Metric } from 'prom-client'
import type { Sample } from '../families/family.ts'
import { instanceLabel } from '../families/instance-families.ts'
import type { Together } from '../instances/instances.ts'
import { othersIn, type Reading } from '../instances/readings.ts'
import type { Form } from './lines.ts'

const total = /_total$/

/** A counter's metric name ends with `_total` in the Prometheus form, but not in OpenMetrics. */
export function nameIn(form: Form, { name, type }: { readonly name: string; readonly type: unknown }): string {
  if (type !== 'counter') return name
  const plain = name.replace(total, '')
  return form === 'openmetrics' ? plain : `${plain}_total`
}

/** The media type of a form. */
export function mediaTypeOf(form: Form): string {
  return form === 'openmetrics' ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE
}

/** Is the registry made for that form? */
export function isIn(registry: Registry, form: Form): boolean {
  return (registry.contentType as string) === mediaTypeOf(form)
}

/** Members of a registry that its types do not declare. */
interface Writer {
  getMetricsAsString(metric: unknown): Promise<string>
  readonly _defaultLabels?: Sample['labels']
}

const asWriter = (registry: Registry) => registry as unknown as Writer

/** Labels that all metrics of a registry have. */
export function sharedLabels(registry: Registry): Sample['labels'] {
  return asWriter(registry)._defaultLabels ?? {}
}

/** The text of a metric of the app's own, in the wanted form. */
export async function textOfOther(registry: Registry, metric: Metric, form: Form): Promise<string> {
  if (isIn(registry, form)) return asWriter(registry).getMetricsAsString(metric)
  return textOf(registry, form, await (metric as unknown as { get(): Promise<Reading> }).get())
}

/** Switching the registry's own form and back would not do: it strips `_total` for OpenMetrics and does not restore it. */
function textOf(registry: Registry, form: Form, reading: Reading): Promise<string> {
  // In its own plain form, a counter keeps the name that it was given.
  const name = form === 'prometheus' && isIn(registry, form) ? reading.name : nameIn(form, reading)
  const copy: Registry = new (Registry as unknown as new (type: string) => Registry)(mediaTypeOf(form))
  copy.setDefaultLabels(sharedLabels(registry))
  return asWriter(copy).getMetricsAsString({ name, get: async () => ({ ...reading, name }) })
}

/** The values of a reading with the name of its instance, unless they have one. */
function valuesOf(id: string, { values }: Reading): Reading['values'] {
  return values.map((line) => ({
    ...line,
    value: line.value ?? Number.NaN,
    labels: { ...line.labels, [instanceLabel]: line.labels[instanceLabel] ?? id },
  }))
}

/**
 * The texts of the metrics of apps and processes, of all instances. Each instance has its own lines: which process uses the
 * memory is what is asked, not how much all use together; nobody but the app knows what its own metrics mean; counters end with
 * their instance instead of falling; and exemplars stay. `sum without (fleet_instance)` adds up what can be.
 */
export function textsOfOthers(registry: Registry, form: Form, { id, readings }: Together): Promise<string>[] {
  const rest = new Map<string, Reading>()
  for (const [other, theirs] of readings)
    for (const reading of theirs) {
      const values = [...(rest.get(reading.name)?.values ?? []), ...valuesOf(other, reading)]
      rest.set(reading.name, { ...reading, values })
    }
  const own = othersIn(registry).map(async (metric) => {
    const reading = await metric.get()
    const values = [...valuesOf(id, reading), ...(rest.get(reading.name)?.values ?? [])]
    return textOf(registry, form, { ...reading, values })
  })
  const known = new Set(othersIn(registry).map(({ name }) => name))
  const further = [...rest.values()].filter(({ name }) => !known.has(name))
  const texts = [...own, ...further.map((reading) => textOf(registry, form, reading))]
  // Thrown when all have been read.
  for (const text of texts) text.catch(() => {})
  return texts
}

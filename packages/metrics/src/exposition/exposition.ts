import { Registry, type Metric } from 'prom-client'

/** The two forms in which figures can be asked for. */
export type Form = 'prometheus' | 'openmetrics'

const total = /_total$/

/** In OpenMetrics a counter has no `_total` of its own, in the other form it has one. */
function nameIn(form: Form, { name, type }: { readonly name: string; readonly type: unknown }): string {
  if (type !== 'counter') return name
  const plain = name.replace(total, '')
  return form === 'openmetrics' ? plain : `${plain}_total`
}

function isIn(registry: Registry, form: Form): boolean {
  return (registry.contentType as string) === mediaTypeOf(form)
}

/**
 * The form in which a registry can be written: the one that is wanted, unless two of its metrics would have one name there
 * (a gauge `jobs` and a counter `jobs_total` are both `jobs` in OpenMetrics). Then it is its own.
 */
export function possibleForm(registry: Registry, wanted: Form): Form {
  if (isIn(registry, wanted)) return wanted
  const names = registry.getMetricsAsArray().map((metric) => nameIn(wanted, metric))
  if (new Set(names).size === names.length) return wanted
  return wanted === 'openmetrics' ? 'prometheus' : 'openmetrics'
}

/** What a registry makes of one metric. */
type Reading = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number]

/**
 * Writes what a registry holds, in the form that was asked for. Not by changing the registry's own form and back: in
 * writing OpenMetrics it cuts `_total` from the names of counters, and does not put it back.
 * @throws Error where two metrics would have one name: see `possibleForm`
 */
export async function textOf(registry: Registry, form: Form): Promise<string> {
  if (isIn(registry, form)) return registry.metrics()
  const readings = await registry.getMetricsAsJSON()
  const copy: Registry = new (Registry as unknown as new (type: string) => Registry)(mediaTypeOf(form))
  for (const reading of readings) {
    const name = nameIn(form, reading)
    copy.registerMetric({
      name,
      type: reading.type,
      get: async (): Promise<Reading> => ({ ...reading, name }),
    } as unknown as Metric)
  }
  return copy.metrics()
}

/** The media type of a form. */
export function mediaTypeOf(form: Form): string {
  return form === 'openmetrics' ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE
}

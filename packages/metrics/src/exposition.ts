import { Registry, type Metric } from 'prom-client'

/** The two forms in which figures can be asked for. */
export type Form = 'prometheus' | 'openmetrics'

const total = /_total$/

/** What a registry makes of one metric. */
type Reading = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number]

/**
 * Writes what a registry holds, in the form that was asked for. Not by changing the registry's own form and back: in
 * writing OpenMetrics it cuts `_total` from the names of counters, and does not put it back.
 */
export async function textOf(registry: Registry, form: Form): Promise<string> {
  const isOpen = form === 'openmetrics'
  const wanted = isOpen ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE
  if ((registry.contentType as string) === wanted) return registry.metrics()
  const readings = await registry.getMetricsAsJSON()
  const copy: Registry = new (Registry as unknown as new (type: string) => Registry)(wanted)
  for (const reading of readings) {
    const isCounter = (reading.type as unknown) === 'counter'
    const plain = reading.name.replace(total, '')
    const name = !isCounter ? reading.name : isOpen ? plain : `${plain}_total`
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

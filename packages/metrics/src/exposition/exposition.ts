// Room `exposition`: writes metrics as text, in the Prometheus and OpenMetrics forms.
import { concatInSlices } from '@fastify-balancer/option-schema'
import { setImmediate } from 'node:timers/promises'
import { Registry, type Metric } from 'prom-client'
import { Family, type Sample } from '../families/family.ts'
import { linesOf, type Form } from './lines.ts'

export type { Form }

/** Longest time of writing before other requests get their turn (ms). */
const slice = 10

const total = /_total$/

/** A counter's metric name ends with `_total` in the Prometheus form, but not in OpenMetrics. */
function nameIn(form: Form, { name, type }: { readonly name: string; readonly type: unknown }): string {
  if (type !== 'counter') return name
  const plain = name.replace(total, '')
  return form === 'openmetrics' ? plain : `${plain}_total`
}

function isIn(registry: Registry, form: Form): boolean {
  return (registry.contentType as string) === mediaTypeOf(form)
}

/**
 * The form in which a registry can be written: the wanted one, unless two metrics would get the same name (a gauge `jobs`
 * and a counter `jobs_total` are both `jobs` in OpenMetrics). Then the registry's own.
 */
export function possibleForm(registry: Registry, wanted: Form): Form {
  if (isIn(registry, wanted)) return wanted
  const names = registry.getMetricsAsArray().map((metric) => nameIn(wanted, metric))
  if (new Set(names).size === names.length) return wanted
  return wanted === 'openmetrics' ? 'prometheus' : 'openmetrics'
}

/** Members of a registry that its types do not declare. */
interface Writer {
  getMetricsAsString(metric: unknown): Promise<string>
  readonly _defaultLabels?: Sample['labels']
}

const asWriter = (registry: Registry) => registry as unknown as Writer

/** The text of a metric of the app's own, in the wanted form. */
async function textOfOther(registry: Registry, metric: Metric, form: Form): Promise<string> {
  if (isIn(registry, form)) return asWriter(registry).getMetricsAsString(metric)
  // Switching the registry's own form and back would not do: it strips `_total` for OpenMetrics and does not restore it.
  const reading = await (
    metric as unknown as { get(): Promise<{ readonly name: string; readonly type: unknown }> }
  ).get()
  const name = nameIn(form, reading)
  const copy: Registry = new (Registry as unknown as new (type: string) => Registry)(mediaTypeOf(form))
  copy.setDefaultLabels(sharedLabels(registry))
  return asWriter(copy).getMetricsAsString({ name, get: async () => ({ ...reading, name }) })
}

function sharedLabels(registry: Registry): Sample['labels'] {
  return asWriter(registry)._defaultLabels ?? {}
}

/**
 * Writes a registry in the given form. A long text is written in slices, so that other requests run in between; a short one
 * is a snapshot of one moment.
 * @throws Error if two metrics would get the same name: see `possibleForm`
 */
export async function bytesOf(registry: Registry, form: Form): Promise<Buffer> {
  const metrics = registry.getMetricsAsArray() as unknown as readonly (Metric | Family)[]
  const shared = sharedLabels(registry)
  const texts: Promise<Buffer[] | string>[] = []
  let since = performance.now()
  for (const metric of metrics) {
    if (!(metric instanceof Family)) {
      const text = textOfOther(registry, metric, form)
      // Thrown below, when all have been read.
      text.catch(() => {})
      texts.push(text)
      continue
    }
    const parts: Buffer[] = []
    texts.push(Promise.resolve(parts))
    for (const lines of linesOf(metric, form, shared)) {
      // Converted to bytes at once: as text, each part would keep thousands of small strings alive.
      parts.push(Buffer.from(lines))
      if (performance.now() - since < slice) continue
      // oxlint-disable-next-line no-await-in-loop -- others have their turn
      await setImmediate()
      since = performance.now()
    }
  }
  const separator = Buffer.from(form === 'openmetrics' ? '\n' : '\n\n')
  const whole: Buffer[] = []
  for (const text of await Promise.all(texts)) {
    if (whole.length > 0) whole.push(separator)
    if (typeof text === 'string') whole.push(Buffer.from(text))
    else for (const part of text) whole.push(part)
  }
  whole.push(Buffer.from(form === 'openmetrics' ? '\n# EOF\n' : '\n'))
  return concatInSlices(whole)
}

/** The media type of a form. */
export function mediaTypeOf(form: Form): string {
  return form === 'openmetrics' ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE
}

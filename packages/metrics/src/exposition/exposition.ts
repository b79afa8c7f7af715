// Room `exposition`: metrics as text: Prometheus and OpenMetrics.
import { concatInSlices } from '@fastify-balancer/option-schema'
import { setImmediate } from 'node:timers/promises'
import { Registry, type Metric } from 'prom-client'
import { Family, type Sample } from '../families/family.ts'
import { linesOf, type Form } from './lines.ts'

export type { Form }

/** What is written in one go, before others have their turn (ms). */
const slice = 10

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

/** What its types do not tell of a registry. */
interface Writer {
  getMetricsAsString(metric: unknown): Promise<string>
  readonly _defaultLabels?: Sample['labels']
}

const asWriter = (registry: Registry) => registry as unknown as Writer

/** What a registry makes of one metric of somebody else's, in the form that is wanted. */
async function textOfOther(registry: Registry, metric: Metric, form: Form): Promise<string> {
  if (isIn(registry, form)) return asWriter(registry).getMetricsAsString(metric)
  // Not by changing the registry's own form and back: in OpenMetrics it cuts `_total` from names, and does not put it back.
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
 * Writes what a registry holds, in the form that was asked for. While a long text is written, requests go on; a short one is
 * of one moment.
 * @throws Error where two metrics would have one name: see `possibleForm`
 */
export async function bytesOf(registry: Registry, form: Form): Promise<Buffer> {
  const metrics = registry.getMetricsAsArray() as unknown as readonly (Metric | Family)[]
  const shared = sharedLabels(registry)
  const texts: Promise<Buffer[] | string>[] = []
  let since = performance.now()
  for (const metric of metrics) {
    if (!(metric instanceof Family)) {
      const text = textOfOther(registry, metric, form)
      // It is told below, when all have been read.
      text.catch(() => {})
      texts.push(text)
      continue
    }
    const parts: Buffer[] = []
    texts.push(Promise.resolve(parts))
    for (const lines of linesOf(metric, form, shared)) {
      // As bytes at once: as text, each would be held together by thousands of small objects.
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

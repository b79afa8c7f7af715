// Room `exposition`: writes metrics as text, in the Prometheus and OpenMetrics forms.
import { concatInSlices } from '@fastify-balancer/option-schema'
import { setImmediate } from 'node:timers/promises'
import type { Metric, Registry } from 'prom-client'
import { Family } from '../families/family.ts'
import type { Together } from '../instances/instances.ts'
import { linesOf, type Form } from './lines.ts'
import { MergedLines } from './merged-lines.ts'
import { isIn, mediaTypeOf, nameIn, sharedLabels, textOfOther, textsOfOthers } from './other-metrics.ts'

export { mediaTypeOf, type Form }

/** Longest time of writing before other requests get their turn (ms). */
const slice = 10

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

/**
 * Writes a registry in the given form. A long text is written in slices, so that other requests run in between; a short one
 * is a snapshot of one moment. With `together`, the text is of all instances.
 * @throws Error if two metrics would get the same name: see `possibleForm`
 */
export async function bytesOf(registry: Registry, form: Form, together?: Together): Promise<Buffer> {
  const metrics = registry.getMetricsAsArray() as unknown as readonly (Metric | Family)[]
  const shared = sharedLabels(registry)
  const merged = together === undefined ? undefined : new MergedLines(together.figures)
  const texts: Promise<Buffer[] | string>[] = []
  let since = performance.now()
  for (const metric of metrics) {
    if (!(metric instanceof Family)) {
      if (together !== undefined) continue
      const text = textOfOther(registry, metric, form)
      // Thrown below, when all have been read.
      text.catch(() => {})
      texts.push(text)
      continue
    }
    const parts: Buffer[] = []
    texts.push(Promise.resolve(parts))
    const own = merged === undefined || metric.aggregator === 'first'
    for (const lines of own ? linesOf(metric, form, shared) : merged.of(metric, form, shared)) {
      // Converted to bytes at once: as text, each part would keep thousands of small strings alive.
      parts.push(Buffer.from(lines))
      if (performance.now() - since < slice) continue
      // oxlint-disable-next-line no-await-in-loop -- others have their turn
      await setImmediate()
      since = performance.now()
    }
  }
  if (together !== undefined) texts.push(...textsOfOthers(registry, form, together))
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

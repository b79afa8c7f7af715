import type { Family, Sample } from '../families/family.ts'

/** The two text forms of metrics. */
export type Form = 'prometheus' | 'openmetrics'

/** Lines per chunk. */
const step = 256

/** In OpenMetrics a metric with a unit says so, and its name ends with it. */
const unitOf = /_(seconds|bytes)$/

function escaped(text: string): string {
  return /[\\\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : text
}

function labelsText(labels: Sample['labels'], shared: Sample['labels']): string {
  let text = ''
  for (const name in labels)
    text += `${text === '' ? '' : ','}${name}="${escaped(String(labels[name])).replaceAll('"', '\\"')}"`
  for (const name in shared)
    if (!(name in labels))
      text += `${text === '' ? '' : ','}${name}="${escaped(String(shared[name])).replaceAll('"', '\\"')}"`
  return text === '' ? '' : `{${text}}`
}

/**
 * Writes a metric as prom-client's registry does, but in chunks: thousands of backends make more than a million lines.
 */
export function* linesOf(family: Family, form: Form, shared: Sample['labels']): Generator<string, void> {
  const isCounter = family.type === 'counter'
  const plain = isCounter && form === 'openmetrics' ? family.name.replace(/_total$/, '') : family.name
  const name = isCounter && form === 'openmetrics' ? `${plain}_total` : plain
  let text = `# HELP ${plain} ${escaped(family.help)}\n# TYPE ${plain} ${family.type}`
  const unit = form === 'openmetrics' ? unitOf.exec(plain)?.[1] : undefined
  if (unit !== undefined) text += `\n# UNIT ${plain} ${unit}`
  let lines = 0
  for (const { metricName = name, labels, value } of family.samples()) {
    text += `\n${metricName}${labelsText(labels, shared)} ${value}`
    if (++lines % step !== 0) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

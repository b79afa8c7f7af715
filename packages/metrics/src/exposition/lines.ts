import type { Family, Sample } from '../families/family.ts'
import { escaped, labelText } from '../figures/label-text.ts'

/** The two text forms of metrics. */
export type Form = 'prometheus' | 'openmetrics'

/** Lines per chunk. */
export const step = 256

/** In OpenMetrics a metric with a unit says so, and its name ends with it. */
const unitOf = /_(seconds|bytes)$/

function labelsText(labels: Sample['labels'], shared: Sample['labels']): string {
  let text = ''
  for (const name in labels) text += (text === '' ? '' : ',') + labelText(name, labels[name]!)
  for (const name in shared) if (!(name in labels)) text += (text === '' ? '' : ',') + labelText(name, shared[name]!)
  return text === '' ? '' : `{${text}}`
}

function plainNameOf({ name, type }: Family, form: Form): string {
  return type === 'counter' && form === 'openmetrics' ? name.replace(/_total$/, '') : name
}

/** The name of a metric's lines that have none of their own. */
export function lineNameOf(family: Family, form: Form): string {
  const plain = plainNameOf(family, form)
  return family.type === 'counter' && form === 'openmetrics' ? `${plain}_total` : plain
}

/** What is said of a metric before its lines. */
export function headOf(family: Family, form: Form): string {
  const plain = plainNameOf(family, form)
  const head = `# HELP ${plain} ${escaped(family.help)}\n# TYPE ${plain} ${family.type}`
  const unit = form === 'openmetrics' ? unitOf.exec(plain)?.[1] : undefined
  return unit === undefined ? head : `${head}\n# UNIT ${plain} ${unit}`
}

/**
 * Writes a metric as prom-client's registry does, but in chunks: thousands of backends make more than a million lines.
 */
export function* linesOf(family: Family, form: Form, shared: Sample['labels']): Generator<string, void> {
  const name = lineNameOf(family, form)
  let text = headOf(family, form)
  let lines = 0
  for (const { metricName = name, labels, value } of family.samples()) {
    text += `\n${metricName}${labelsText(labels, shared)} ${value}`
    if (++lines % step !== 0) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

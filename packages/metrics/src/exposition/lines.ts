import type { Family, Sample } from '../families/family.ts'

/** The two forms in which figures can be asked for. */
export type Form = 'prometheus' | 'openmetrics'

/** So many lines are written in one go. */
const step = 256

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
 * Writes a metric as a registry of prom-client's does, so many lines at a time: of thousands of backends, they would be more
 * than a million.
 */
export function* linesOf(family: Family, form: Form, shared: Sample['labels']): Generator<string, void> {
  const isCounter = family.type === 'counter'
  const plain = isCounter && form === 'openmetrics' ? family.name.replace(/_total$/, '') : family.name
  const name = isCounter && form === 'openmetrics' ? `${plain}_total` : plain
  let text = `# HELP ${plain} ${escaped(family.help)}\n# TYPE ${plain} ${family.type}`
  let lines = 0
  for (const { metricName = name, labels, value } of family.samples()) {
    text += `\n${metricName}${labelsText(labels, shared)} ${value}`
    if (++lines % step !== 0) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

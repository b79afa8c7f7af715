import { markdownTable } from '../markdown.ts'
import type { Finding } from './part.ts'

/** What the program has found, as its file of results keeps it. */
export interface OperationsReport {
  /** ISO 8601. */
  readonly date: string
  readonly machine: { readonly node: string; readonly cores: number }
  readonly findings: readonly Finding[]
}

/** `heldHttp2` is `held (HTTP/2)` for people. */
const inWords = (name: string) =>
  name
    .replace(/Plain$/, ' (HTTP/1.1)')
    .replace(/Http2$/, ' (HTTP/2)')
    .replace(/(?<=[a-z])(?:[A-Z]|\d+)/g, (part) => ` ${part.toLowerCase()}`)

export function operationsAsMarkdown({ date, machine, findings }: OperationsReport): string {
  const rows = findings.map(({ did, figures, faults }) => [
    did,
    Object.entries(figures)
      .map(([name, value]) => `${value.toLocaleString('en')} ${inWords(name)}`)
      .join(', '),
    faults.length === 0 ? 'yes' : `**no**: ${faults.join('; ')}`,
  ])
  const table = markdownTable(['Under load from wrk and h2load', 'counted', 'holds'], rows)
  return `${table}\n\n${machine.cores} cores, Node ${machine.node}, ${date.slice(0, 10)}.`
}

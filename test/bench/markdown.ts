import type { Report, ScenarioReport, SubjectReport } from './report.ts'
import { oursRaw } from './subjects/all.ts'

/** What was measured, without judging it. */
export function scenariosAsMarkdown(report: Report): string {
  return [...report.scenarios.map(scenarioTable), legend(report)].join('\n\n')
}

/** The whole report for people. */
export function reportAsMarkdown(report: Report): string {
  return [
    ...report.scenarios.map(scenarioTable),
    ...(report.targets.length > 0 ? [targetsTable(report)] : []),
    legend(report),
  ].join('\n\n')
}

/** Rows under a head; the first column is text, the others are figures. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

function scenarioTable({ title, subjects }: ScenarioReport): string {
  const head = [
    title,
    'throughput: bold ÷ this',
    'CPU: bold ÷ this',
    'CPU µs/request',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'core busy',
    'errors',
  ]
  return markdownTable(head, subjects.map(subjectRow))
}

function subjectRow(subject: SubjectReport): string[] {
  const { name, title, version, ours, cpuPerRequest, requestsPerSecond, p50, p99, busy, errors } = subject
  // Before what it was told to do, if that is said.
  const [product, ...how] = title.split(', ')
  const known = [`${product} ${version}`, ...how].join(', ')
  const isMeasure = name === oursRaw.name
  return [
    isMeasure ? `**${known}**` : known,
    ours === undefined || isMeasure ? '' : ours.throughput.median.toFixed(2),
    ours === undefined || isMeasure ? '' : ours.cpu.median.toFixed(2),
    `${figure(cpuPerRequest.median)} (${figure(cpuPerRequest.min)}–${figure(cpuPerRequest.max)})`,
    figure(requestsPerSecond.median),
    p50.median.toFixed(1),
    p99.median.toFixed(1),
    `${Math.round(busy.median * 100)} %`,
    errors === 0 ? '0' : `**${errors}**`,
  ]
}

function targetsTable({ targets }: Report): string {
  const rows = targets.map(({ title, wanted, ratio, reached }) => [
    title,
    wanted,
    `${ratio.toFixed(2)} ×`,
    reached ? 'yes' : '**no**',
  ])
  return markdownTable(['Target', 'wanted', 'measured', 'reached'], rows)
}

function legend({ date, machine, load, backends, options, skipped }: Report): string {
  const { rounds, seconds, connections } = options
  const pinned =
    machine.pinned === undefined
      ? 'nothing was pinned'
      : `the proxy pinned to one core, load (${load}) and backends (${backends}) to the other${machine.pinned.load.length > 1 ? 's' : ''}`
  const sentences = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, Node ${machine.node}, ${date.slice(0, 10)};`,
    `${pinned}.`,
    `${connections} connections, medians of ${rounds} interleaved rounds of ${seconds} s after a warm-up; ratios are taken round by round.`,
    'CPU is that of the proxy with all its threads and workers (minimum and maximum in parentheses).',
    'If its core was not fully busy, something else was the limit: then compare only CPU per request.',
    ...skipped.map((title) => `${title} is not installed here.`),
  ]
  return sentences.join(' ')
}

/** With as many digits as a measurement is worth. */
export const figure = (value: number): string =>
  value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en').replaceAll(',', '\u202f')

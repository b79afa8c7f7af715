import { markdownTable } from '../markdown.ts'
import type { FaultFigures } from './figures.ts'
import type { FaultReport, FaultScenarioReport } from './report.ts'
import type { FaultScenario } from './scenarios.ts'
import { connectTimeout, headersTimeout } from './subjects/subject.ts'

type Column = readonly [head: string, cell: (figures: FaultFigures) => string]

const seen: readonly Column[] = [
  ['failed', ({ failed }) => count(failed)],
  ['slow', ({ slow }) => count(slow)],
  ['p99 ms', ({ p99 }) => count(p99)],
]

const columns: Record<FaultScenario['shows'], readonly Column[]> = {
  sickness: [
    ...seen,
    ['noticed after', (figures) => time(figures.noticedAfter)],
    ['no traffic after', (figures) => time(figures.goneAfter)],
    ['share at the end', ({ shareAtEnd = 0 }) => `${(shareAtEnd * 100).toFixed(1)} %`],
  ],
  flapping: [...seen, ['busiest / idlest of the other three', ({ unevenness }) => unevenness?.toFixed(2) ?? '∞']],
  outage: [
    ...seen,
    ['failed after all were back', ({ failedAfterReturn = 0 }) => count(failedAfterReturn)],
    ['no failures after', (figures) => time(figures.flawlessAfter)],
    ['all four in use after', (figures) => time(figures.sharedAfter)],
  ],
}

/** What a fault is called where there is little room. */
export const inBrief: Readonly<Record<string, string>> = {
  kill: 'killed',
  stop: 'hangs',
  errors: 'answers 500',
  slow: '20 × slower',
  flap: 'flaps',
  outage: 'all down, then back',
}

/** One row for each subject: what clients saw of each fault, and when it was noticed. */
export function faultsInBrief({ scenarios, subjects, options: { seconds, rate } }: FaultReport): string {
  const rows = subjects.map(({ name, title, version }) => [
    name === 'ours' ? `**${title} ${version}**` : `${title} ${version}`,
    ...scenarios.map(({ shows, figures }) => brief(shows, figures[name]!)),
  ])
  return [
    `Of ${count(rate * seconds)} requests in ${seconds} s: failed / slower than 10 × the median; and the time until the faulty backend (one of four) got at`,
    'most 2 % of the traffic. Last column: requests that failed although all four backends were back.',
    '',
    markdownTable(['', ...scenarios.map(({ name }) => inBrief[name] ?? name)], rows),
  ].join('\n')
}

function brief(shows: FaultScenario['shows'], figures: FaultFigures): string {
  const { failed, slow, noticedAfter, failedAfterReturn = 0 } = figures
  if (shows === 'outage') return count(failedAfterReturn)
  const clients = `${count(failed)} / ${count(slow)}`
  return shows === 'sickness' ? `${clients}, ${time(noticedAfter)}` : clients
}

/** The whole report for people. */
export function faultsAsMarkdown(report: FaultReport): string {
  return [
    ...report.scenarios.map((scenario) => scenarioTable(scenario, report)),
    settings(report),
    legend(report),
  ].join('\n\n')
}

function scenarioTable({ title, shows, figures }: FaultScenarioReport, { subjects }: FaultReport): string {
  const own = columns[shows]
  const rows = Object.entries(figures).map(([name, its]) => {
    const subject = subjects.find((one) => one.name === name)!
    const known = `${subject.title} ${subject.version}`
    return [name === 'ours' ? `**${known}**` : known, ...own.map(([, cell]) => cell(its))]
  })
  return markdownTable([title, ...own.map(([head]) => head)], rows)
}

function settings({ subjects }: FaultReport): string {
  return subjects.map(({ title, setting }) => `- ${title}: ${setting}.`).join('\n')
}

function legend({ date, machine, options: { seconds, rate }, skipped }: FaultReport): string {
  const sentences = [
    `${rate} requests a second (GET, at a constant rate, without waiting for answers) for ${seconds} s after the fault, ${count(rate * seconds)} in all;`,
    'four backends that take 10 ms ± 2.',
    `All wait ${headersTimeout / 1000} s for response headers and ${connectTimeout / 1000} s for a connection, clients 10 s.`,
    '_Failed_: not answered with 200.',
    '_Slow_: answered with 200, but after more than 10 × the median before the fault.',
    'p99 includes failed requests.',
    '_Noticed after_: the first half second in which the faulty backend got at most 2 % of the requests (failed-over attempts count).',
    '_No traffic after_: from then on it never got more; `never`: it still did in the last second, because it was never ejected, or is tried again now and then.',
    '_Share at the end_: over the second half; an equal share is 25 %.',
    'The faulty backend stays faulty to the end: recovery time is not measured, which favours long ejections.',
    'Sorted by what clients saw: failed, then slow, then p99. One run each.',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, Node ${machine.node}, ${date.slice(0, 10)}.`,
    ...skipped.map((title) => `${title} is not installed here.`),
  ]
  return sentences.join(' ')
}

function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? 'never' : `${(milliseconds / 1000).toFixed(1)} s`
}

/** With a narrow space between thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', '\u202f')
}

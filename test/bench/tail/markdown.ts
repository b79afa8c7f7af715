import { markdownTable } from '../markdown.ts'
import type { Spread } from '../statistics.ts'
import { leadIn } from './measure.ts'
import { wanted, type Reach } from './reach.ts'
import { scenarios } from './scenarios.ts'
import type { TailReport, TailScenarioReport, TailSubjectReport } from './report.ts'

/** The whole report for people. */
export function tailsAsMarkdown(report: TailReport): string {
  const reached = report.scenarios.filter(({ reach }) => reach.length > 0)
  return [
    ...report.scenarios.flatMap((scenario) => [scenario.says, scenarioTable(scenario)]),
    ...(reached.length > 0 ? [reachTable(reached), reachLegend] : []),
    legend(report),
  ].join('\n\n')
}

function scenarioTable({ title, floor, subjects }: TailScenarioReport): string {
  const head = [
    title,
    'requests/s',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'p99.9 ms',
    'gave up',
    'errors',
    'share of each backend',
    'CPU µs/request',
    'proxy core',
    'load core',
  ]
  const { p50, p95, p99, p999 } = floor
  const limit = ['_nobody waits, all served by the fastest_', '', ...[p50, p95, p99, p999].map(figure)]
  const empty = Array.from({ length: head.length - limit.length }, () => '')
  return markdownTable(head, [[...limit, ...empty], ...subjects.map(subjectRow)])
}

function subjectRow(subject: TailSubjectReport): string[] {
  const { title, version, isPeer, errors, unanswered } = subject
  const known = `${title} (${version})`
  const middle = ({ median }: Spread) => figure(median)
  const percent = ({ median }: Spread) => `${Math.round(median * 100)} %`
  return [
    isPeer ? known : `**${known}**`,
    middle(subject.perSecond),
    middle(subject.p50),
    middle(subject.p95),
    middle(subject.p99),
    middle(subject.p999),
    `${unanswered}`,
    errors === 0 ? '0' : `**${errors}**`,
    subject.shares.map(shareText).join(', '),
    middle(subject.cpuPerRequest),
    percent(subject.busy),
    percent(subject.loadBusy),
  ]
}

function shareText({ count, min, max }: TailSubjectReport['shares'][number]): string {
  const [least, most] = [min, max].map((share) => `${Number((share * 100).toPrecision(2))}`)
  return `${count === 1 ? '' : `${count} × `}${least === most ? least : `${least}–${most}`} %`
}

/** Scenarios down, ours across. */
function reachTable(reports: readonly TailScenarioReport[]): string {
  const names = [...new Set(reports.flatMap(({ reach }) => reach.map(({ name }) => name)))]
  const rows = reports.map(({ name, title, subjects, reach }) => {
    const peer = (wantedName: string) => subjects.find((one) => one.name === wantedName)!
    const { throughput, p99 } = reach[0]!
    const best = `${peer(p99.best).title} ${figure(peer(p99.best).p99.median)} ms; ${peer(throughput.best).title} ${figure(peer(throughput.best).perSecond.median)}/s`
    return [
      title,
      best,
      ...names.map((one) =>
        reachText(
          name,
          reach.find((each) => each.name === one),
        ),
      ),
    ]
  })
  return markdownTable(['ours ÷ best peer: throughput, p99', 'best peers', ...names], rows)
}

function reachText(scenario: string, reach: Reach | undefined): string {
  if (reach === undefined) return ''
  const { throughput, p99 } = { throughput: reach.throughput.ratio.median, p99: reach.p99.ratio.median }
  const kind = scenarios.find(({ name }) => name === scenario)?.load.kind ?? 'open'
  const isReached = throughput >= wanted[kind].throughput && p99 <= wanted[kind].p99
  const isWorse = throughput < wanted.worst.throughput || p99 > wanted.worst.p99
  const text = `${throughput.toFixed(2)}, ${p99.toFixed(2)}`
  if (isReached) return `**${text}**`
  return isWorse ? `${text} (worse)` : text
}

const reachLegend = [
  `Bold: as wanted, which is at least ${wanted.closed.throughput} × the throughput and at most ${wanted.closed.p99} × the p99 of the best peer in a closed loop,`,
  `and at most ${wanted.open.p99} × the p99 in an open one. _Worse_: more than 5 % worse than the best peer in either.`,
  'The first line of each scenario shows how much there is to gain: no balancer can do better than that.',
].join(' ')

function legend({ date, machine, load, options, skipped }: TailReport): string {
  const { rounds, seconds, arrivals } = options
  const pinned =
    machine.pinned === undefined
      ? 'nothing was pinned'
      : 'balancers pinned to one core, clients and backends to the other'
  const sentences = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, Node ${machine.node}, ${date.slice(0, 10)}; ${pinned}.`,
    `Load: ${load}; ${arrivals === 'poisson' ? 'Poisson arrivals' : 'arrivals at a constant rate'} in open loops.`,
    `${rounds === 1 ? 'One round' : `Medians of ${rounds} interleaved rounds`} of ${seconds} s or more for each, after ${leadIn} s that do not count; in a round, all get the same requests.`,
    'Backends are queues with slots in one process. Nobody ejects anything: no health checks, circuits or passive checks.',
    '_Gave up_: clients that got no answer in 8 s; they count in the latencies.',
    'CPU is that of the balancer, or both of them; where a core is nearly full, it was the limit.',
    ...skipped.map((title) => `${title} is not there.`),
  ]
  return sentences.join(' ')
}

const figure = (value: number) =>
  value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en').replaceAll(',', '\u202f')

import { figure, markdownTable } from '../markdown.ts'
import type { Spread } from '../statistics.ts'
import { leadIn, patience, warmUp } from './load/plan.ts'
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

/** For a document: what counts, and the rest folded away. */
export function tailsFolded(report: TailReport): string {
  const tables = report.scenarios.map((scenario) => `${scenario.says}\n\n${scenarioTable(scenario)}`).join('\n\n')
  const reached = report.scenarios.filter(({ reach }) => reach.length > 0)
  return `${reachTable(reached)}\n\n${reachLegend}\n\n<details>\n<summary>All results, and how they were measured</summary>\n\n${tables}\n\n${legend(report)}\n\n</details>`
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
    'others',
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
    percent(subject.othersBusy),
  ]
}

function shareText({ count, min, max }: TailSubjectReport['shares'][number]): string {
  const [least, most] = [min, max].map((share) => `${Number((share * 100).toPrecision(2))}`)
  return `${count === 1 ? '' : `${count} × `}${least === most ? least : `${least}–${most}`} %`
}

/** Scenarios down, ours across. */
function reachTable(reports: readonly TailScenarioReport[]): string {
  const names = [...new Set(reports.flatMap(({ reach }) => reach.map(({ name }) => name)))]
  const rows = reports.map((report) => {
    const cells = names.map((name) =>
      reachText(
        report.name,
        report.reach.find((one) => one.name === name),
      ),
    )
    return [report.title, ...bestPeers(report), ...cells]
  })
  return markdownTable(
    ['throughput, p99, p99.9: ours ÷ best peer', 'best peers', 'lowest p99 possible', ...names],
    rows,
  )
}

/** Who they are, and how far a p99 could be below theirs. */
function bestPeers({ subjects, reach, floor }: TailScenarioReport): readonly [names: string, limit: string] {
  const { throughput, p99 } = reach[0]!
  const peer = (name: string) => subjects.find((one) => one.name === name)!
  const [fastest, calmest] = [peer(throughput.best), peer(p99.best)]
  const names = `${fastest.title} ${figure(fastest.perSecond.median)}/s, ${calmest.title} ${figure(calmest.p99.median)} ms`
  return [names, (floor.p99 / calmest.p99.median).toFixed(2)]
}

function reachText(scenario: string, reach: Reach | undefined): string {
  if (reach === undefined) return ''
  const [throughput, p99, p999] = [reach.throughput.ratio.median, reach.p99.ratio.median, reach.p999.ratio.median]
  const kind = scenarios.find(({ name }) => name === scenario)?.load.kind ?? 'open'
  const isReached = throughput >= wanted[kind].throughput && p99 <= wanted[kind].p99
  const isWorse = throughput < wanted.worst.throughput || p99 > wanted.worst.p99
  const text = [throughput, p99, p999].map((ratio) => ratio.toFixed(2)).join(', ')
  if (isReached) return `**${text}**`
  return isWorse ? `${text} (worse)` : text
}

const reachLegend = [
  `Bold: as wanted, which is at least ${wanted.closed.throughput} × the throughput and at most ${wanted.closed.p99} × the p99 of the best peer in a closed loop,`,
  `and at most ${wanted.open.p99} × the p99 in an open one. _Worse_: more than 5 % worse than the best peer in either.`,
  '_Lowest p99 possible_: what it would be if nobody waited and the fastest backend did all, ÷ that of the best peer.',
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
    `${rounds === 1 ? 'One round' : `Medians of ${rounds} interleaved rounds`} of ${seconds} s or more for each, after ${warmUp} s of empty requests and ${leadIn} s of the load that do not count; in a round, all get the same requests.`,
    'Backends are queues with slots in one process. Nobody ejects anything: no health checks, circuits or passive checks.',
    `_Gave up_: clients that got no answer in ${patience / 1000} s; they count in the latencies.`,
    'CPU is that of the balancer, or both of them; where a core is nearly full, it was the limit. _Others_: what programs that have no part in it used of a core; more than 10 % spoil a row.',
    ...skipped.map((title) => `${title} is not installed here.`),
  ]
  return sentences.join(' ')
}

import { markdownTable } from '../markdown.ts'
import { spread } from '../statistics.ts'
import type { Balance } from './balance.ts'
import type { CpuCost } from './cpu.ts'
import type { Loss } from './loss.ts'
import type { Resumption } from './resumption.ts'
import { titles, type Way } from './ways.ts'

/** What has been measured. */
export interface Measured {
  readonly cpu?: readonly CpuCost[]
  readonly balance?: readonly Balance[]
  readonly loss?: readonly Loss[]
  readonly resumption?: readonly Resumption[]
}

const titleOf = (way: Way | undefined, workers: number) =>
  way === undefined ? 'one process' : `${titles[way]}, ${workers} workers`
const percent = (share: number) => `${Math.round(share * 100)} %`

/** From the second smallest to the second largest: of 11 rounds, it holds the median with 99 %. */
function middle(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other)
  const [low = NaN, high = NaN] = [sorted.at(1), sorted.at(-2)]
  return `${spread(values).median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}

function cpuTable(costs: readonly CpuCost[]): string {
  const rows = costs.map(({ connections, way, workers, perRequest, parent, ratios, errors }) => [
    connections,
    titleOf(way, workers),
    spread(perRequest).median.toFixed(1),
    spread(parent).median.toFixed(1),
    middle(ratios),
    `${errors}`,
  ])
  return markdownTable(['', '', 'CPU µs/request', 'of the parent', '÷ one process', 'errors'], rows)
}

function balanceTable(balances: readonly Balance[]): string {
  const rows = balances.map(({ kind, connections, order, way, workers, trials, fewest, most, busiest, withIdle }) => [
    `${connections} ${kind}, ${order}`,
    titleOf(way, workers),
    `${fewest}–${most}`,
    `${percent(busiest.median)} (${percent(busiest.min)}–${percent(busiest.max)})`,
    `${withIdle} of ${trials}`,
  ])
  return markdownTable(['', '', 'of a worker', 'of the busiest', 'trials with an idle worker'], rows)
}

function lossTable(losses: readonly Loss[]): string {
  const rows = losses.map(({ way, ending, ends, requests, troubles }) => [
    titles[way],
    ending,
    `${ends}`,
    `${requests}`,
    Object.entries(troubles)
      .map(([trouble, count]) => `${count} ${trouble}`)
      .join(', ') || '0',
  ])
  return markdownTable(['', 'ending', 'workers ended', 'requests', 'not answered'], rows)
}

function resumptionTable(resumptions: readonly Resumption[]): string {
  const rows = resumptions.map(({ way, workers, version, attempts, resumed }) => [
    titleOf(way, workers),
    version,
    `${resumed} of ${attempts}`,
  ])
  return markdownTable(['', '', 'sessions resumed'], rows)
}

export function reportAsMarkdown({ cpu, balance, loss, resumption }: Measured): string {
  return [
    cpu === undefined ? '' : cpuTable(cpu),
    balance === undefined ? '' : balanceTable(balance),
    loss === undefined ? '' : lossTable(loss),
    resumption === undefined ? '' : resumptionTable(resumption),
  ]
    .filter(Boolean)
    .join('\n\n')
}

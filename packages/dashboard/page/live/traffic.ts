import { rowsOf } from '../history/columns.ts'
import type { BackendPast, Past } from '../history/past.ts'
import type { Period } from '../history/point.ts'
import type { BackendFigures, Figures } from '../api/views.ts'

/** Time span of a sparkline (ms). */
export const sparkSpan = 60_000

/** So long slices are kept (ms): until the server tells of them as its past, which the page asks for once a minute. */
const kept = 120_000

/** Shares and rates are averaged over this many seconds, so that they are readable and still current. */
const calm = 3

/** From this share of failed attempts on, errors are shown as an alarm. */
const burning = 0.01

interface Slice extends Period {
  readonly requests: number
  readonly failed: number
  readonly p95: number | null
}

/** The failed attempts of a backend, as far back as the page looks. */
interface Errors {
  readonly attempts: number
  readonly failed: number
  /** So many that an operator must see it: of these, or in the last minute. */
  readonly isBurning: boolean
}

/** The recent traffic of a backend. */
export interface Traffic {
  readonly slices: readonly Slice[]
  /** What the server told of the time before. */
  readonly past: BackendPast | undefined
  readonly inFlight: number
  readonly tunnels: number
  /** Per second. */
  readonly rate: number
  /** Share of all traffic, from 0 to 1; 0 without traffic. */
  readonly share: number
  /** In ms; null without samples. */
  readonly p95: number | null
  readonly errors: Errors
}

/** By the id of the backend. */
export type TrafficById = ReadonlyMap<string, Traffic>

const none: Traffic = {
  slices: [],
  past: undefined,
  inFlight: 0,
  tunnels: 0,
  rate: 0,
  share: 0,
  p95: null,
  errors: { attempts: 0, failed: 0, isBurning: false },
}

function sum(slices: readonly Slice[], key: 'seconds' | 'requests' | 'failed'): number {
  return slices.reduce((total, slice) => total + slice[key], 0)
}

function isBurning(failed: number, attempts: number): boolean {
  return failed > 0 && failed / attempts >= burning
}

function errorsOf(slices: readonly Slice[], past: BackendPast | undefined): Errors {
  const { until = 0, attempts: before = 0, failed: failedBefore = 0 } = past ?? {}
  const since = slices.filter(({ at }) => at > until)
  const attempts = before + sum(since, 'requests')
  const failed = failedBefore + sum(since, 'failed')
  const minute = (slices.at(-1)?.at ?? 0) - sparkSpan
  const lately = slices.filter(({ at }) => at > minute)
  return {
    attempts,
    failed,
    isBurning: isBurning(failed, attempts) || isBurning(sum(lately, 'failed'), sum(lately, 'requests')),
  }
}

function grown(
  before: Traffic,
  { requests, failed, inFlight, tunnels, latency }: BackendFigures,
  { at, seconds }: Figures,
): Traffic {
  const oldest = at - kept
  const p95 = latency?.p95 ?? null
  const slices = [...before.slices.filter((slice) => slice.at > oldest), { at, seconds, requests, failed, p95 }]
  const last = slices.slice(-calm)
  return {
    slices,
    past: before.past,
    inFlight,
    tunnels,
    rate: sum(last, 'requests') / sum(last, 'seconds'),
    share: 0,
    p95,
    errors: errorsOf(slices, before.past),
  }
}

/** The traffic of all backends with one more period; removed backends are dropped. */
export function withFigures(before: TrafficById, figures: Figures): TrafficById {
  const now = figures.backends.map((one) => [one.id, grown(before.get(one.id) ?? none, one, figures)] as const)
  const all = now.reduce((total, [, { rate }]) => total + rate, 0)
  return new Map(now.map(([id, traffic]) => [id, { ...traffic, share: all === 0 ? 0 : traffic.rate / all }]))
}

/** The same traffic, with the past of each backend. */
export function withPast(before: TrafficById, { backends }: Past): TrafficById {
  const ids = new Set([...before.keys(), ...backends.keys()])
  return new Map(
    [...ids].map((id) => {
      const traffic = before.get(id) ?? none
      const past = backends.get(id)
      return [id, { ...traffic, past, errors: errorsOf(traffic.slices, past) }]
    }),
  )
}

/** The p95 of the last minute: times in seconds since the epoch, and the values at them; null breaks the line. */
export function sparkOf({ slices, past }: Traffic): readonly [readonly number[], readonly (number | null)[]] {
  const since = slices.filter(({ at }) => at > (past?.until ?? 0))
  const all = [...(past?.latencies ?? []), ...since]
  const oldest = (all.at(-1)?.at ?? 0) - sparkSpan
  const { times, rows } = rowsOf(all.filter(({ at }) => at >= oldest))
  return [times, rows.map((row) => row?.p95 ?? null)]
}

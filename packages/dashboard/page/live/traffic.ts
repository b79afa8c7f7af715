import { beginning, extended, isAfterGap } from './history.ts'
import type { BackendFigures, Figures } from '../api/views.ts'

/** Time span of a sparkline (ms). */
export const sparkSpan = 60_000

/** Shares and rates are averaged over this many seconds, so that they are readable and still current. */
const calm = 3

interface Slice {
  readonly seconds: number
  readonly requests: number
}

/** The recent traffic of a backend. */
export interface Traffic {
  readonly slices: readonly Slice[]
  readonly inFlight: number
  readonly tunnels: number
  /** Per second. */
  readonly rate: number
  /** Share of all traffic, from 0 to 1; 0 without traffic. */
  readonly share: number
  /** In ms; null without samples. */
  readonly p95: number | null
  readonly times: readonly number[]
  readonly latencies: readonly (number | null)[]
}

/** By the id of the backend. */
export type TrafficById = ReadonlyMap<string, Traffic>

const none: Traffic = { slices: [], inFlight: 0, tunnels: 0, rate: 0, share: 0, p95: null, times: [], latencies: [] }

function sum(slices: readonly Slice[], key: keyof Slice): number {
  return slices.reduce((total, slice) => total + slice[key], 0)
}

function grown(
  before: Traffic,
  { requests, inFlight, tunnels, latency }: BackendFigures,
  { at, seconds }: Figures,
): Traffic {
  const slices = [...before.slices.slice(1 - calm), { seconds, requests }]
  const from = beginning(before.times, at, sparkSpan)
  const broken = isAfterGap(before.times, at)
  const p95 = latency?.p95 ?? null
  return {
    slices,
    inFlight,
    tunnels,
    rate: sum(slices, 'requests') / sum(slices, 'seconds'),
    share: 0,
    p95,
    times: extended(before.times, from, broken, (before.times.at(-1) ?? 0) + 1, at / 1000),
    latencies: extended<number | null>(before.latencies, from, broken, null, p95),
  }
}

/** The traffic of all backends with one more period; removed backends are dropped. */
export function withFigures(before: TrafficById, figures: Figures): TrafficById {
  const now = figures.backends.map((one) => [one.id, grown(before.get(one.id) ?? none, one, figures)] as const)
  const all = now.reduce((total, [, { rate }]) => total + rate, 0)
  return new Map(now.map(([id, traffic]) => [id, { ...traffic, share: all === 0 ? 0 : traffic.rate / all }]))
}

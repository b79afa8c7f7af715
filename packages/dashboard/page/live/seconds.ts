import { noResponses, type Point } from '../history/point.ts'
import type { Figures } from '../api/views.ts'

/** So long seconds are kept (ms): longer than the server takes to tell of them as its past. */
const kept = 900_000

function pointOf({ at, seconds, requests, failed, retries, responses, latency }: Figures): Point {
  const { p50 = null, p95 = null, p99 = null } = latency ?? {}
  return { at, seconds, requests, failed, retries, responses: { ...noResponses, ...responses }, p50, p95, p99 }
}

/** The seconds with one more. */
export function withSecond(before: readonly Point[], figures: Figures): readonly Point[] {
  const oldest = figures.at - kept
  const first = before.findIndex(({ at }) => at > oldest)
  return [...(first < 0 ? [] : before.slice(first)), pointOf(figures)]
}

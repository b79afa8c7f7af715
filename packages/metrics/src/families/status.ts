import type { StatusCounts } from '@fastify-balancer/balancer-core'
import type { CallCounts } from '../traffic/traffic.ts'
import type { Line } from './per-balancer.ts'

const names = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

/** A line for each status class that has occurred or is at one of the `foreseen` places, with the label `status`. */
export function* statusLines(counts: StatusCounts | undefined, foreseen: readonly number[]): Generator<Line> {
  for (const [place, status] of names.entries()) {
    const value = counts?.[place] ?? 0
    if (value > 0 || foreseen.includes(place)) yield [{ status }, value]
  }
}

/** Of all status classes together. */
export function sumOf(counts: StatusCounts | undefined): number {
  return counts?.reduce((sum, count) => sum + count, 0) ?? 0
}

/** A line for each gRPC status that has occurred, with the label `grpc_status`. */
export function* callLines(calls: CallCounts): Generator<Line> {
  for (const [status, value] of calls) yield [{ grpc_status: status }, value]
}

import type { Labels, Sample } from './family.ts'
import type { CallCounts, StatusCounts } from '../traffic/traffic.ts'

const names = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

/** A line for each status class that has occurred, with the label `status`. */
export function* statusSamples(labels: Labels, counts: StatusCounts): Generator<Sample> {
  for (const [index, value] of counts.entries()) {
    if (value > 0) yield { labels: { ...labels, status: names[index]! }, value }
  }
}

/** A line for each gRPC status that has occurred, with the label `grpc_status`. */
export function* callSamples(labels: Labels, calls: CallCounts): Generator<Sample> {
  for (const [status, value] of calls) yield { labels: { ...labels, grpc_status: status }, value }
}

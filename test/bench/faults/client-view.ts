import { percentile } from '../statistics.ts'
import type { Sent } from './client.ts'

/** What clients have seen of a fault. */
export interface ClientView {
  readonly requests: number
  /** Not answered with 200, or not at all. */
  readonly failed: number
  /** Answered with 200, after more than ten times the usual median. */
  readonly slow: number
  /** ms; failed ones are among them. */
  readonly p99: number
  /** How often each way to fail came. */
  readonly problems: Readonly<Record<string, number>>
}

const slowness = 10

/** Sums up the requests of a faulty time. `usual`: the median of a calm one, ms. */
export function viewOf(sent: readonly Sent[], usual: number): ClientView {
  const failed = sent.filter(hasFailed)
  const problems: Record<string, number> = {}
  for (const { problem } of failed) problems[problem] = (problems[problem] ?? 0) + 1
  return {
    requests: sent.length,
    failed: failed.length,
    slow: sent.filter((one) => !hasFailed(one) && one.took > slowness * usual).length,
    p99: percentile(
      sent.map(({ took }) => took),
      0.99,
    ),
    problems,
  }
}

export const hasFailed = ({ status }: Sent): boolean => status !== 200

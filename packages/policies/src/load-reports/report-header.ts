// Room `load-reports`: what backends tell of their load in response headers, in ORCA's format (xDS, gRPC A51).
import type { Attempt } from '@fastify-balancer/balancer-core'
import { parseReport, type LoadReport } from './parse-report.ts'

/** The response header with a load report. */
export const reportHeader = 'endpoint-load-metrics'

/** The request header that asks for it. */
export const formatHeader = 'endpoint-load-metrics-format'

/** Asks the backend of this attempt for a report. */
export function wantReport(attempt: Pick<Attempt, 'setHeader'>): void {
  attempt.setHeader(formatHeader, 'text')
}

/** Reports that were taken out of headers: several policies of one balancer may learn from the same response. */
const taken = new WeakMap<object, LoadReport>()

/** Takes the report out of response headers, so that the client does not see it; undefined if there is none of use. */
export function takeReport(headers: Record<string, unknown>): LoadReport | undefined {
  const value = headers[reportHeader]
  if (value === undefined) return taken.get(headers)
  delete headers[reportHeader]
  const report = typeof value === 'string' ? parseReport(value) : undefined
  if (report !== undefined) taken.set(headers, report)
  return report
}

import { failures, type FailureReason } from '../failure.ts'
import { statusByHttp, type StatusName } from './status-code.ts'

/**
 * The failures whose gRPC status is another than their HTTP status has by gRPC's own mapping: 502, 503 and 504 are
 * `UNAVAILABLE`, 400 is `INTERNAL`.
 */
const exceptions: Partial<Record<FailureReason, StatusName>> = {
  'unsupported-version': 'INTERNAL',
  'rewrite-failed': 'INTERNAL',
  'request-refused': 'INTERNAL',
  // A call asks for no other protocol.
  'upgrade-required': 'INTERNAL',
  'upgrade-ignored': 'INTERNAL',
  // Overload of this process: another attempt at once would make it worse.
  overloaded: 'RESOURCE_EXHAUSTED',
  'queue-full': 'RESOURCE_EXHAUSTED',
  'queue-shed': 'RESOURCE_EXHAUSTED',
  'queue-timeout': 'RESOURCE_EXHAUSTED',
  'out-of-sockets': 'RESOURCE_EXHAUSTED',
  'response-header-too-large': 'RESOURCE_EXHAUSTED',
  // The backend may be working on it: nobody can say that it was not processed.
  'upload-timeout': 'DEADLINE_EXCEEDED',
  'headers-timeout': 'DEADLINE_EXCEEDED',
  'body-timeout': 'DEADLINE_EXCEEDED',
  'request-timeout': 'DEADLINE_EXCEEDED',
  'client-deadline': 'DEADLINE_EXCEEDED',
  'request-stalled': 'DEADLINE_EXCEEDED',
  // Only logged and counted.
  'client-gone': 'CANCELLED',
  'client-stalled': 'CANCELLED',
}

/** The gRPC status of a failure. */
export function failureStatus(reason: FailureReason): StatusName {
  return exceptions[reason] ?? statusByHttp(failures[reason].status)
}

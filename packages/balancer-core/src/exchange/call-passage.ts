import { withHeader, type AttemptRequest } from '../attempt/attempt-headers.ts'
import type { RetryOptions } from '../attempt/retry-options.ts'
import { failures, type FailureReason } from '../failure.ts'
import { statusFields } from '../grpc/failure-response.ts'
import { failureStatus } from '../grpc/failure-status.ts'
import type { RemoteCall } from '../grpc/remote-call.ts'
import { RecordedBody } from '../request/recorded-body.ts'
import type { Outgoing } from '../request/outgoing-request.ts'
import type { Answer } from '../response/answer.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import type { TimeLimits } from './limits/time-limits.ts'

/** The limit of a whole call: the client's deadline or `timeouts.request`, whichever is shorter (ms; 0 = none). */
function requestLimit({ deadline }: RemoteCall, request: number): [reason: FailureReason, limit: number] {
  if (deadline === undefined || (request > 0 && request < deadline)) return ['request-timeout', request]
  // 0 would be no limit.
  return ['client-deadline', Math.max(deadline, 1)]
}

/** Limits a request as a whole. */
export function startLimit(limits: TimeLimits, call: RemoteCall | undefined, request: number): void {
  if (call === undefined) limits.start('request-timeout', request)
  else limits.start(...requestLimit(call, request))
}

/** Tells the backend of an attempt how much time is left. */
export function passDeadline(request: AttemptRequest, call: RemoteCall, exchange: ExchangeRecord): void {
  const [, limit] = requestLimit(call, exchange.options.timeouts.request)
  if (limit === 0) return
  const [name, value] = call.timeLeft(exchange.startedAt + limit - exchange.clock.now())
  request.headers = withHeader(request.headers, name, value)
}

/** Keeps a copy of the request, where it may have to be sent again. */
export function keepCopy(out: Outgoing, { form }: RemoteCall, { grpc, attempts }: RetryOptions): void {
  const { body } = out
  if (form !== 'grpc' || grpc.length === 0 || attempts === 0 || out.smallLength > 0) return
  if (body !== null && !Buffer.isBuffer(body)) out.body = new RecordedBody(body)
}

/**
 * Ends a gRPC response that has begun with the status of the failure. False if that is not possible: the client reads
 * too slowly, or its response has another form, in which nobody knows where a message ends.
 */
export function closeCall({ call, outcome, reply: { raw } }: ExchangeRecord, answer: Answer): boolean {
  if (call?.form !== 'grpc' || outcome === undefined || outcome === 'ok') return false
  if (raw.req.httpVersionMajor !== 2 || !raw.headersSent || raw.writableEnded || raw.writableLength > 0) return false
  const { status, message } = failures[outcome]
  if (status === 499) return false
  answer.end(statusFields(failureStatus(outcome), message))
  return true
}

import type { FailureError } from './errors.ts'
import type { ExchangeRecord } from './exchange-record.ts'

/** In seconds: what is overloaded or being replaced is worth asking again soon (RFC 9110 §10.2.3). */
const retryAfter = '1'

/** Tells the client of a failure, through the app's own error handler. */
export function replyWithFailure({ request, reply, balancer, error }: ExchangeRecord, failure: FailureError): void {
  // What is left of the body is not read, so the next request could not be found behind it.
  if (!request.raw.complete && request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
  if (failure.statusCode === 503) reply.header('retry-after', retryAfter)
  if (balancer.options.failureHeader) reply.header('x-balancer-failure', failure.reason)
  // A rewriting hook's error is the app's own, and may carry a status.
  reply.send(failure.reason === 'rewrite-failed' && error instanceof Error ? error : failure)
}

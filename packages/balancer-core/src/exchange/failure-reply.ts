import type { FailureError } from '../errors.ts'
import { exchangeOf } from './closing/response-close.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import type { FailureReason } from '../failure.ts'
import { isForeignVersion } from '../request/http-version.ts'
import { isUploading, RequestFault } from '../request/request-body.ts'
import { failureStatus } from '../grpc/failure-status.ts'
import { statusByHttp } from '../grpc/status-code.ts'
import { failCall } from '../response/call-failure.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { letAppAnswer, type AppAnswer, type OnForwardError } from '../response/app-answer.ts'
import { breakOff } from '../response/break-off.ts'
import { lingerAfter } from '../response/lingering-close.ts'

/** `Retry-After` in seconds: overload and replaced backends are worth a new request soon (RFC 9110 §10.2.3). */
const retryAfter = '1'

/** Failures that hooks of the app can cause. */
const ownReasons = new Set<FailureReason>(['rewrite-failed', 'bad-request'])

/** Through the app's error handler, unless code of the app answers itself. */
function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  error: Error,
  onError: OnForwardError | undefined,
): void {
  if (onError === undefined) {
    reply.send(error)
    return
  }
  const app: AppAnswer = { hasBegun: false }
  const failed = exchangeOf(reply.raw)
  letAppAnswer(
    app,
    reply,
    () => onError(request, reply, error),
    () => {
      // It may have forwarded the request once more, which answers it.
      if (exchangeOf(reply.raw) === failed) reply.send(error)
    },
    (thrown) => {
      if (app.hasBegun) breakOff(reply.raw, error)
      // Anything else would be sent as a body, with the status 200.
      else reply.send(thrown instanceof Error ? thrown : error)
    },
  )
}

/** Tells the client of a failure: through the app's own error handler, but for calls, whose clients need another form. */
export function replyWithFailure(
  { request, reply, options, error, call, forwarding: { onError } }: ExchangeRecord,
  failure: FailureError,
): void {
  // The client is gone or not reading: 499 is only for the log.
  if (failure.statusCode === 499) {
    reply.hijack()
    breakOff(reply.raw, failure)
    return
  }
  // The rest of the body is not read, so a next request behind it could not be found; and a malformed request has no
  // certain end.
  const isUnfinished = isUploading(request) || failure.reason === 'bad-request' || isForeignVersion(request.raw)
  if (isUnfinished && (request.raw.httpVersionMajor === 1 || isForeignVersion(request.raw))) {
    reply.header('connection', 'close')
    lingerAfter(reply.raw)
  }
  // A 426 must name a protocol (RFC 9110 §15.5.22).
  if (failure.statusCode === 426) reply.headers({ connection: 'Upgrade, close', upgrade: 'HTTP/1.1' })
  if (failure.statusCode === 503) reply.header('retry-after', retryAfter)
  if (options.failureHeader) reply.header('x-balancer-failure', failure.reason)
  // An error of the app's own hooks is passed on as it is; it may carry a status.
  const isOwn = error instanceof Error && !(error instanceof RequestFault) && ownReasons.has(failure.reason)
  if (call === undefined) sendError(request, reply, isOwn ? error : failure, onError)
  else if (isOwn) failCall(reply, call, statusByHttp((error as Partial<FailureError>).statusCode ?? 500), error.message)
  else failCall(reply, call, failureStatus(failure.reason), failure.message)
}

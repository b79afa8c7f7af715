import { code, faultsOf, functionFaults, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { TimeoutOptions } from '../backends/pool-options.ts'
import { BadOptionsError } from '../errors.ts'
import type { RequestRewrite } from '../rewriting/request-rewrite.ts'
import type { OnBackendResponse, OnForwardError } from '../response/app-answer.ts'
import type { ResponseRewrite } from '../rewriting/response-rewrite.ts'
import type { Forwarding } from './forwarding.ts'

/** What `reply.forward()` takes besides `balancer`: it holds for that request alone. */
export const CallOptions = Type.Object(
  {
    rewrite: Type.Optional(
      Type.Object(
        {
          request: code<RequestRewrite>('In place of `rewrite.request` of the balancer'),
          response: code<ResponseRewrite>('In place of `rewrite.response` of the balancer'),
        },
        { ...strict, description: 'Changes of this request and of its response' },
      ),
    ),
    timeouts: Type.Optional(
      Type.Partial(TimeoutOptions, {
        ...strict,
        default: undefined,
        description: "Time limits in place of the balancer's (ms, 0 = none)",
      }),
    ),
    onResponse: code<OnBackendResponse>(
      '`(request, reply, response) => {}`: answers in place of the backend, or looks at its response. It may be async. If it does not call `reply.send`, the response goes to the client. Takes the full lane',
    ),
    onError: code<OnForwardError>(
      '`(request, reply, error) => {}`: answers when the request has failed. It may be async. If it does not call `reply.send`, the error goes to the error handler',
    ),
  },
  strict,
)
/** What `reply.forward()` takes besides `balancer`: it holds for that request alone. */
export type CallOptions = Static<typeof CallOptions>

/** Options that were found to be good: those of a route are mostly one object. */
const known = new WeakSet<object>()

function check(options: CallOptions): void {
  const faults = [
    ...faultsOf(CallOptions, options),
    ...functionFaults('rewrite.request', options.rewrite?.request),
    ...functionFaults('rewrite.response', options.rewrite?.response),
    ...functionFaults('onResponse', options.onResponse),
    ...functionFaults('onError', options.onError),
  ]
  // It is no fault of the client's, whose request this is.
  if (faults.length > 0)
    throw Object.assign(new BadOptionsError(`reply.forward: ${faults.join('; ')}`), { statusCode: 500 })
}

/**
 * How one request is forwarded that may have options of its own, beside `balancer`.
 * @throws BadOptionsError naming every fault
 */
export function forwardingWith(
  forwarding: Forwarding,
  given: CallOptions & { readonly balancer?: unknown },
): Forwarding {
  const { balancer: _, ...call } = given
  if (Object.keys(call).length === 0) return forwarding
  if (!known.has(given)) check(call)
  known.add(given)
  const { rewrite, timeouts, onResponse, onError } = call
  const { options } = forwarding
  return {
    ...forwarding,
    lane: onResponse === undefined ? forwarding.lane : 'full',
    options: timeouts === undefined ? options : { ...options, timeouts: { ...options.timeouts, ...timeouts } },
    request: { ...forwarding.request, rewrite: rewrite?.request ?? forwarding.request.rewrite },
    response: { ...forwarding.response, rewrite: rewrite?.response ?? forwarding.response.rewrite, onResponse },
    onError,
  }
}

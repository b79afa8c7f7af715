import type { FastifyRequest } from 'fastify'
import type { Balancer } from '../balancer.ts'
import { rateLimit, type RateLimit } from './limits/client-rate.ts'
import type { ParsedOptions } from '../options.ts'
import type { RequestRules } from '../request/outgoing-request.ts'
import { guardOf } from '../paths/path-guard.ts'
import type { OnForwardError } from '../response/app-answer.ts'
import type { AnswerRules } from '../response/response-lane.ts'
import { prefixChange } from '../rewriting/prefix-change.ts'
import { addressRules } from '../rewriting/response-addresses.ts'

/**
 * How one route forwards: worked out when the route is made, and again when the balancer's options have changed, not for
 * each request. A request keeps the one that it began with.
 */
export interface Forwarding {
  readonly balancer: Balancer
  readonly options: ParsedOptions
  readonly lane: ParsedOptions['lane']
  readonly request: RequestRules
  readonly response: AnswerRules
  /** The lowest allowed speed of a client. */
  readonly rate: RateLimit
  /** Answers a request that has failed. */
  readonly onError?: OnForwardError | undefined
}

/** How a balancer forwards requests of the app's own routes. */
export function forwardingOf(balancer: Balancer): Forwarding {
  const { options } = balancer
  const { lane, rewrite, forwarded, host, requestId, minClientRate, timeouts } = options
  return {
    balancer,
    options,
    lane,
    request: {
      prefix: undefined,
      confined: false,
      guard: undefined,
      forwarded,
      host,
      requestId,
      rewrite: rewrite.request,
    },
    response: { via: forwarded.via, rewrite: rewrite.response, addresses: addressRules(rewrite, undefined) },
    rate: rateLimit(minClientRate, timeouts.idle),
  }
}

/** How the catch-all route of a balancer forwards, given its full prefix. */
export function forwardingBelow(balancer: Balancer, prefix: string): Forwarding {
  const forwarding = forwardingOf(balancer)
  const { rewrite } = forwarding.options
  const change = prefixChange(prefix, rewrite)
  return {
    ...forwarding,
    request: { ...forwarding.request, prefix: change, confined: /[^/]/.test(prefix) },
    response: { ...forwarding.response, addresses: addressRules(rewrite, change) },
  }
}

/**
 * The same with a guard for the route of this request: its path must not mean another route to a backend, unless
 * `paths` is `as-is`.
 */
export function guarded(forwarding: Forwarding, request: FastifyRequest): Forwarding {
  if (forwarding.options.paths === 'as-is') return forwarding
  return { ...forwarding, request: { ...forwarding.request, guard: guardOf(request) } }
}

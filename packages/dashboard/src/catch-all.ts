import { withoutSecrets } from '@fastify-balancer/option-schema'
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { UnknownPageError } from './errors.ts'

/** Constraints of a route: `host`, `version`. */
export type Constraints = Readonly<Record<string, unknown>>

/** A balancer, as far as it is needed here. */
interface Balancer {
  readonly options: { readonly constraints: Constraints }
}

/** Left out of what @fastify/swagger describes. */
export const hidden: FastifySchema & { readonly hide: true } = { hide: true }

/** What a browser asks for has routes of its own. */
const own = new Set(['GET', 'HEAD'])

/**
 * The constraints with which the admin routes at `admin` have a catch-all: those of balancers that would otherwise take
 * requests before any route without them. Which ones these are, the admin routes know; they also refuse to start when
 * one comes after them.
 */
export function constraintsAt(app: FastifyInstance, admin: string): readonly Constraints[] {
  const url = `${app.prefix}${admin}/*`
  const balancers = app.getDecorator<ReadonlyMap<string, Balancer>>('balancers')
  const found = [...balancers.values()]
    .map(({ options: { constraints } }) => constraints)
    .filter((constraints) => Object.keys(constraints).length > 0)
    .filter((constraints) => app.hasRoute({ url, method: 'GET', constraints }))
  return found.filter((one, index) => found.findIndex((other) => isDeepStrictEqual(one, other)) === index)
}

function answerNothing({ method, url }: FastifyRequest): never {
  throw new UnknownPageError(method, withoutSecrets(url).slice(0, 200))
}

/**
 * What is not there, or not with that method, or those constraints: a balancer must not forward it, and whoever may not
 * look is not told that there is nothing.
 */
export function addCatchAll(scope: FastifyInstance, constrained: readonly Constraints[]): void {
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
  const rest = { method: methods.filter((method) => !own.has(method)), constraints: {} }
  for (const shared of [rest, ...constrained.map((constraints) => ({ method: methods, constraints }))])
    for (const url of ['', '/*']) scope.route({ ...shared, url, schema: hidden, handler: answerNothing })
  // For what the router itself refuses, such as a parameter that is too long.
  scope.setNotFoundHandler(answerNothing)
}

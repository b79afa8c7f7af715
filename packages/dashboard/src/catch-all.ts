import { withoutSecrets } from '@fastify-balancer/option-schema'
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { UnknownPageError } from './errors.ts'

/** Constraints of a route: `host`, `version`. */
export type Constraints = Readonly<Record<string, unknown>>

/** The part of a balancer that is used here. */
interface Balancer {
  readonly options: { readonly constraints: Constraints }
}

/** Hides a route from @fastify/swagger. */
export const hidden: FastifySchema & { readonly hide: true } = { hide: true }

/** These methods have routes of their own. */
const own = new Set(['GET', 'HEAD'])

/**
 * The constraints for which the admin routes at `admin` have added a catch-all: routes with these constraints win over ours.
 * The admin routes decide which ones they are, and refuse to start if such a balancer is registered after them.
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
 * Answers 404, after authentication, to all other requests below the page's path, so that no balancer forwards them.
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
  // For requests that the router itself refuses, e.g. with a parameter that is too long.
  scope.setNotFoundHandler(answerNothing)
}

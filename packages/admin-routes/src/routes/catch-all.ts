import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import type { Desk } from '../desk.ts'
import { BadOptionsError, UnknownRouteError } from '../errors.ts'
import type { Scope } from '../scope.ts'

/** For `@fastify/swagger`. */
const hidden: FastifySchema & { hide: boolean } = { hide: true }

function answerNothing({ method, url }: FastifyRequest): never {
  throw new UnknownRouteError(method, url.slice(0, 200))
}

/**
 * A catch-all with a constraint that the request meets, `version` for one, goes before every route without it. Only for
 * `host` the router looks further.
 */
function goesFirst({ options: { route, constraints } }: Balancer): boolean {
  return route && Object.keys(constraints).some((name) => name !== 'host')
}

/**
 * Whatever else is below the prefix, with any method: nothing of it is forwarded by a balancer, and whoever may not look
 * is not told that there is nothing. The dashboard looks for these routes, to have the same.
 */
export function addCatchAll(scope: Scope, { balancers }: Desk): void {
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  const known = new Set([...balancers.values()].filter(goesFirst))
  for (const constraints of [{}, ...[...known].map(({ options }) => options.constraints)]) {
    for (const url of ['/', '/*']) {
      if (scope.hasRoute({ url: scope.prefix + url, method: 'GET', constraints })) continue
      scope.route({ method: methods, url, constraints, schema: hidden, handler: answerNothing })
    }
  }
  scope.addHook('onReady', async () => {
    for (const balancer of balancers.values()) {
      if (!goesFirst(balancer) || known.has(balancer)) continue
      const fault = `'${balancer.name}' has constraints, with which it would take requests that are for the admin routes`
      throw new BadOptionsError(`${fault}: register it before them`)
    }
  })
  // For what the router itself refuses, such as a parameter that is too long.
  scope.setNotFoundHandler(answerNothing)
}

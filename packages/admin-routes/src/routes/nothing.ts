import type { FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import { UnknownRouteError } from '../errors.ts'
import type { Scope } from '../scope.ts'

/** For `@fastify/swagger`. */
const hidden: FastifySchema & { hide: boolean } = { hide: true }

function answerNothing({ method, url }: FastifyRequest): never {
  throw new UnknownRouteError(method, url.slice(0, 200))
}

/**
 * Whatever else is below the prefix, with any method: nothing of it is forwarded by a balancer, and whoever may not look
 * is not told that there is nothing.
 */
export function addNothing(scope: Scope): void {
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  for (const url of ['/', '/*']) {
    scope.route({ method: methods, url, schema: hidden, handler: answerNothing })
  }
  // For what the router itself refuses, such as a parameter that is too long.
  scope.setNotFoundHandler(answerNothing)
}

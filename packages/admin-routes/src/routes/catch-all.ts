import type { Balancer } from '@fastify-balancer/balancer-core'
import { withoutSecrets } from '@fastify-balancer/option-schema'
import type { FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import type { Desk } from '../desk.ts'
import { BadOptionsError, UnknownRouteError } from '../errors.ts'
import type { Scope } from '../scope.ts'

/** For `@fastify/swagger`. */
const hidden: FastifySchema & { hide: boolean } = { hide: true }

function answerNothing({ method, url }: FastifyRequest): never {
  throw new UnknownRouteError(method, withoutSecrets(url).slice(0, 200))
}

/**
 * A catch-all with a matching constraint, e.g. `version`, wins over every route without it. Only for `host` does the router
 * also try routes without the constraint.
 */
function goesFirst({ options: { route, constraints } }: Balancer): boolean {
  return route && Object.keys(constraints).some((name) => name !== 'host')
}

/**
 * If a balancer's prefix is at or below `prefix`: the rest of it, `''` if they are equal. Otherwise undefined.
 */
function partOf(prefix: string, balancer: Balancer): string | undefined {
  const own = balancer.options.prefix.replace(/\/$/, '')
  return own === prefix || own.startsWith(`${prefix}/`) ? own.slice(prefix.length) : undefined
}

/** @throws BadOptionsError if a balancer would forward paths below the prefix of the admin routes */
function refuseBelow(scope: Scope, { options, balancers }: Desk, isOurs: (part: string) => boolean): void {
  for (const balancer of balancers.values()) {
    const part = partOf(options.prefix, balancer)
    // They may have been registered in different scopes: then they do not conflict.
    if (part === undefined || isOurs(part)) continue
    const { constraints } = balancer.options
    if (!scope.hasRoute({ url: `${scope.prefix}${part}/*`, method: 'POST', constraints })) continue
    throw new BadOptionsError(
      `balancer '${balancer.name}' with prefix '${balancer.options.prefix}' would take requests of the admin routes: choose another prefix for one of them`,
    )
  }
}

/**
 * Answers 404, after authentication, to all other paths below the prefix, so that a balancer forwards none of them. The
 * dashboard looks for these routes and adds the same.
 */
export function addCatchAll(scope: Scope, desk: Desk): void {
  const { balancers } = desk
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  refuseBelow(scope, desk, () => false)
  const known = new Set([...balancers.values()].filter(goesFirst))
  for (const constraints of [{}, ...[...known].map(({ options }) => options.constraints)]) {
    for (const url of ['/', '/*']) {
      // The app may have its own routes there; two balancers may have the same constraints.
      const free = methods.filter((method) => !scope.hasRoute({ url: scope.prefix + url, method, constraints }))
      if (free.length > 0)
        scope.route({ method: free, url, constraints, exposeHeadRoute: false, schema: hidden, handler: answerNothing })
    }
  }
  scope.addHook('onReady', async () => {
    refuseBelow(scope, desk, (part) => part === '')
    for (const balancer of balancers.values()) {
      if (!goesFirst(balancer) || known.has(balancer)) continue
      const fault = `balancer '${balancer.name}' has constraints and would take requests of the admin routes`
      throw new BadOptionsError(`${fault}: register it before the admin routes`)
    }
  })
  // For requests that the router itself refuses, e.g. with a parameter that is too long.
  scope.setNotFoundHandler(answerNothing)
}

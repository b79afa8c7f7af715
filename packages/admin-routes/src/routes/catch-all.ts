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
 * A catch-all with a constraint that the request meets, `version` for one, goes before every route without it. Only for
 * `host` the router looks further.
 */
function goesFirst({ options: { route, constraints } }: Balancer): boolean {
  return route && Object.keys(constraints).some((name) => name !== 'host')
}

/**
 * Below which part of the prefix a balancer is, given the prefixes of both as options say them; undefined if it is not.
 * `''` is the prefix itself.
 */
function partOf(prefix: string, balancer: Balancer): string | undefined {
  const own = balancer.options.prefix.replace(/\/$/, '')
  return own === prefix || own.startsWith(`${prefix}/`) ? own.slice(prefix.length) : undefined
}

/** @throws BadOptionsError when a balancer would forward what is below the prefix */
function refuseBelow(scope: Scope, { options, balancers }: Desk, isOurs: (part: string) => boolean): void {
  for (const balancer of balancers.values()) {
    const part = partOf(options.prefix, balancer)
    // Each may have been registered in a scope of its own: then they do not meet.
    if (part === undefined || isOurs(part)) continue
    const { constraints } = balancer.options
    if (!scope.hasRoute({ url: `${scope.prefix}${part}/*`, method: 'POST', constraints })) continue
    throw new BadOptionsError(
      `'${balancer.name}' has the prefix '${balancer.options.prefix}', and would take requests that are for the admin routes`,
    )
  }
}

/**
 * Whatever else is below the prefix, with any method: nothing of it is forwarded by a balancer, and whoever may not look
 * is not told that there is nothing. The dashboard looks for these routes, to have the same.
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
      // The app may have some of its own there; two balancers may have the same constraints.
      const free = methods.filter((method) => !scope.hasRoute({ url: scope.prefix + url, method, constraints }))
      if (free.length > 0)
        scope.route({ method: free, url, constraints, exposeHeadRoute: false, schema: hidden, handler: answerNothing })
    }
  }
  scope.addHook('onReady', async () => {
    refuseBelow(scope, desk, (part) => part === '')
    for (const balancer of balancers.values()) {
      if (!goesFirst(balancer) || known.has(balancer)) continue
      const fault = `'${balancer.name}' has constraints, with which it would take requests that are for the admin routes`
      throw new BadOptionsError(`${fault}: register it before them`)
    }
  })
  // For what the router itself refuses, such as a parameter that is too long.
  scope.setNotFoundHandler(answerNothing)
}

import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { Balancer } from '../balancer.ts'
import { UnknownBalancerError } from '../errors.ts'

/** The balancers of an app, or shared by several apps, and all servers whose requests they get. */
export interface Registry {
  readonly balancers: Map<string, Balancer>
  readonly servers: Set<Server>
}

const byServer = new WeakMap<object, Registry>()

/** The registry of an app, the same in all its scopes. */
export function registryOf({ server }: FastifyInstance): Registry {
  let registry = byServer.get(server)
  if (registry === undefined) byServer.set(server, (registry = { balancers: new Map(), servers: new Set() }))
  return registry
}

/** Gives an app the registry of another; false if it has balancers of its own. */
export function shareRegistry({ server }: FastifyInstance, registry: Registry): boolean {
  if (byServer.has(server)) return false
  byServer.set(server, registry)
  return true
}

/**
 * The balancer of that name, or without one the default or only balancer.
 * @throws UnknownBalancerError if there is none of that name; without a name, if there are several and none is called
 * `default`
 */
export function findBalancer({ balancers }: Registry, name?: string): Balancer {
  const found =
    name === undefined
      ? (balancers.get('default') ?? (balancers.size === 1 ? [...balancers.values()][0] : undefined))
      : balancers.get(name)
  if (found !== undefined) return found
  const names = [...balancers.keys()].join(', ')
  throw new UnknownBalancerError(
    name === undefined
      ? `There are several balancers, none called 'default'; name one of: ${names}`
      : `There is no balancer '${name}', only: ${names}`,
  )
}

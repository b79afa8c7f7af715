import { processFigures } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import cluster from 'node:cluster'
import { hostname } from 'node:os'
import process from 'node:process'
import { SharedBalancers } from './balancers/shared-balancers.ts'
import { Fleet } from './instances/fleet.ts'
import { IpcStore } from './ipc/ipc-store.ts'
import { DividedLimits } from './limits/divided-limits.ts'
import { environmentName, successorValue } from './ipc/messages.ts'
import { parseOptions, type FleetOptions } from './options.ts'
import type { Store } from './store/store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** This instance among all that act as one; undefined while it is alone. */
    fleet: Fleet | undefined
  }
}

/** The parent, where it says that it is one. */
function storeOfParent(): Store | undefined {
  return process.env[environmentName] !== undefined && process.connected ? new IpcStore() : undefined
}

let started = 0

/** Of several apps in one process, each is an instance of its own. */
function nameOfInstance(): string {
  const own = ++started
  return `${hostname()}:${process.pid}${own === 1 ? '' : `:${own}`}`
}

async function plugin(app: FastifyInstance, given: FleetOptions): Promise<void> {
  const { store: own, id = nameOfInstance(), heartbeat, divideLimits } = parseOptions(given)
  const store = own ?? storeOfParent()
  if (store === undefined) {
    app.decorate('fleet', undefined)
    if (cluster.isWorker || process.env.NODE_APP_INSTANCE !== undefined)
      app.log.warn(
        'this is one of several processes, and its balancers do not know of the others: each has its own lists, checks and figures. Start them by `workers()` of fastify-balancer, or call `hostFleet()` in the primary',
      )
    return
  }
  const isSuccessor = own === undefined && process.env[environmentName] === successorValue
  const fleet = new Fleet(store, { id, heartbeat, isSuccessor })
  fleet.tell('process', processFigures())
  app.decorate('fleet', fleet)
  const shared = new SharedBalancers(fleet, app)
  const limits: DividedLimits[] = []
  // Before backends are probed: registered before those who do.
  app.addHook('onReady', async () => {
    await fleet.join()
    await shared.join()
    if (!divideLimits) return
    limits.push(...[...app.balancers.values()].map((balancer) => new DividedLimits(fleet, balancer)))
    await Promise.all(limits.map((one) => one.join()))
  })
  // The hooks of other plugins do not wait for the store.
  app.addHook('onListen', async () => {
    fleet.become('ready').catch((error: unknown) => app.log.error(error))
  })
  app.addHook('preClose', async () => fleet.become('draining').catch(() => {}))
  app.addHook('onClose', async () => {
    shared.close()
    for (const one of limits) one.close()
    await fleet.leave()
    if (store !== own) store.close()
  })
}

/**
 * `fastify.register(fleet, options)`, before the balancers: the balancers of this process and of all others that share the
 * store act as one.
 */
export const fleet = fp(plugin, { fastify: '5.x', name: '@fastify-balancer/fleet' })

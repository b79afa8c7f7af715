import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { attach } from './app/attachment.ts'
import { logPauses } from './app/pause-log.ts'
import { registryOf } from './app/registry.ts'
import { takenFaults } from './app/taken-names.ts'
import { Balancer } from './balancer.ts'
import { BadOptionsError } from './errors.ts'
import { defaultCeiling } from './exchange-ceiling.ts'
import type { BalancerOptions } from './options.ts'
import { corePolicies } from './picking/policies/by-name.ts'
import { routeOf } from './route.ts'

/** Logs once how many requests there may be at once, which explains later refusals. */
function tellCeiling(app: FastifyInstance, { name, options }: Balancer): void {
  const { maxExchanges = defaultCeiling() } = options
  app.addHook('onListen', async () => {
    app.log.info(
      { balancer: name, maxExchanges },
      `limit: ${maxExchanges} requests at once in this process (maxExchanges)`,
    )
  })
}

/** Without backends at the start, it may be filled later; until then, somebody should know. */
function tellIfEmpty(app: FastifyInstance, balancer: Balancer): void {
  const { name } = balancer
  app.addHook('onReady', async () => {
    if (balancer.backends.length > 0) return
    app.log.warn(
      { balancer: name },
      `balancer ${name} has no backends: its requests get 503 until some are added, by the option \`backends\` or by \`setBackends()\``,
    )
  })
}

async function plugin(app: FastifyInstance, options: BalancerOptions): Promise<void> {
  const registry = registryOf(app)
  const balancer = new Balancer(options, app.log, { ...corePolicies, ...app.balancerPolicies })
  const faults = takenFaults(app, balancer, registry)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  registry.balancers.set(balancer.name, balancer)
  attach(app, balancer, registry)
  logPauses(app, balancer)
  tellCeiling(app, balancer)
  tellIfEmpty(app, balancer)
  if (balancer.options.route) await app.register(...routeOf(balancer))
}

/** `fastify.register(balancer, options)` */
export const balancer = fp(plugin, { fastify: '5.x', name: '@fastify-balancer/balancer-core' })

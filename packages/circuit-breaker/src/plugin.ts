import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { CircuitBreaker } from './circuit-breaker.ts'
import { BadOptionsError, NoBreakerError } from './errors.ts'
import { parseOptions, type CircuitBreakerOptions } from './options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The circuit breaker of the default balancer of this server, or of its only one. */
    circuitBreaker: CircuitBreaker
    /** Every circuit breaker of this server, by the name of its balancer. */
    circuitBreakers: ReadonlyMap<string, CircuitBreaker>
  }
}

const byServer = new WeakMap<object, Map<string, CircuitBreaker>>()

function decorate(app: FastifyInstance, breakers: ReadonlyMap<string, CircuitBreaker>): void {
  if (app.hasDecorator('circuitBreakers')) return
  app.decorate('circuitBreakers', { getter: () => breakers })
  app.decorate('circuitBreaker', {
    getter(this: FastifyInstance) {
      const { name } = this.balancer
      const found = breakers.get(name)
      if (found === undefined) throw new NoBreakerError(name)
      return found
    },
  })
}

/** @throws BadOptionsError; the balancer's error when there are several, and none is named */
function balancerOf(app: FastifyInstance, name: string | undefined): Balancer {
  const balancer = name === undefined ? app.balancer : app.balancers.get(name)
  if (balancer !== undefined) return balancer
  throw new BadOptionsError(`balancer: there is no balancer '${name}', only: ${[...app.balancers.keys()].join(', ')}`)
}

async function plugin(app: FastifyInstance, options: CircuitBreakerOptions): Promise<void> {
  const parsed = parseOptions(options)
  const balancer = balancerOf(app, parsed.balancer)
  const breakers = byServer.get(app.server) ?? new Map<string, CircuitBreaker>()
  byServer.set(app.server, breakers)
  if (breakers.has(balancer.name))
    throw new BadOptionsError(`balancer: '${balancer.name}' already has a circuit breaker`)
  const breaker = new CircuitBreaker(balancer, parsed, app.log, app.server)
  breakers.set(balancer.name, breaker)
  decorate(app, breakers)
  app.addHook('onClose', async () => breaker.close())
  for (const id of parsed.backends.keys()) {
    if (!balancer.backends.some((backend) => backend.id === id))
      app.log.warn({ balancer: balancer.name, backend: id }, 'circuit breaker options for a backend that is not there')
  }
}

/** `fastify.register(circuitBreaker, options)`, after the balancer. */
export const circuitBreaker = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/circuit-breaker',
  decorators: { fastify: ['balancers'] },
})

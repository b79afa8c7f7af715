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

/** Its name among the extensions of a balancer. */
const extension = 'circuit-breaker'

function breakerOf({ extensions }: Balancer): CircuitBreaker | undefined {
  return extensions.get(extension) as CircuitBreaker | undefined
}

function decorate(app: FastifyInstance): void {
  if (app.hasDecorator('circuitBreakers')) return
  app.decorate('circuitBreakers', {
    getter(this: FastifyInstance) {
      const all = [...this.balancers].map(([name, balancer]) => [name, breakerOf(balancer)] as const)
      return new Map(all.filter((one): one is [string, CircuitBreaker] => one[1] !== undefined))
    },
  })
  app.decorate('circuitBreaker', {
    getter(this: FastifyInstance) {
      const breaker = breakerOf(this.balancer)
      if (breaker === undefined) throw new NoBreakerError(this.balancer.name)
      return breaker
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
  if (breakerOf(balancer) !== undefined)
    throw new BadOptionsError(`balancer: '${balancer.name}' already has a circuit breaker`)
  const breaker = new CircuitBreaker(balancer, parsed, app.log, app.server)
  balancer.extensions.set(extension, breaker)
  decorate(app)
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

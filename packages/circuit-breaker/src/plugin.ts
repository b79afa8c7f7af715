import { Extension } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { CircuitBreaker, extensionKey } from './circuit-breaker.ts'
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

const extension = new Extension<CircuitBreaker>({
  key: extensionKey,
  words: 'circuit breaker',
  one: 'circuitBreaker',
  all: 'circuitBreakers',
  badOptions: (fault) => new BadOptionsError(fault),
  none: (balancer) => new NoBreakerError(balancer),
})

async function plugin(app: FastifyInstance, options: CircuitBreakerOptions): Promise<void> {
  const parsed = parseOptions(options)
  const balancer = extension.balancerFor(app, parsed.balancer)
  const breaker = new CircuitBreaker(balancer, parsed, app.log, app.server)
  extension.add(app, balancer, breaker)
  app.addHook('onClose', async () => breaker.close())
  for (const id of parsed.backends.keys()) {
    if (!balancer.backends.some((backend) => backend.id === id))
      app.log.warn(
        { balancer: balancer.name, backend: id },
        `circuit breaker: options for backend '${id}', which is not in the list`,
      )
  }
}

/** `fastify.register(circuitBreaker, options)`, after the balancer. */
export const circuitBreaker = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/circuit-breaker',
  decorators: { fastify: ['balancers'] },
})

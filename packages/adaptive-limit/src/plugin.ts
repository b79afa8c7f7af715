import { Extension } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { AdaptiveLimit, extensionKey } from './adaptive-limit.ts'
import { BadOptionsError, NoLimitsError } from './errors.ts'
import { parseOptions, type AdaptiveLimitOptions } from './options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The adaptive limits of the default balancer of this server, or of its only one. */
    adaptiveLimit: AdaptiveLimit
    /** The adaptive limits of every balancer of this server that has some, by its name. */
    adaptiveLimits: ReadonlyMap<string, AdaptiveLimit>
  }
}

const extension = new Extension<AdaptiveLimit>({
  key: extensionKey,
  words: 'set of adaptive limits',
  one: 'adaptiveLimit',
  all: 'adaptiveLimits',
  badOptions: (fault) => new BadOptionsError(fault),
  none: (balancer) => new NoLimitsError(balancer),
})

async function plugin(app: FastifyInstance, options: AdaptiveLimitOptions): Promise<void> {
  const { balancer: name, ...settings } = parseOptions(options)
  const balancer = extension.balancerFor(app, name)
  extension.add(app, balancer, new AdaptiveLimit(balancer, settings))
}

/** `fastify.register(adaptiveLimit, options)`, after the balancer. */
export const adaptiveLimit = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/adaptive-limit',
  decorators: { fastify: ['balancers'] },
})

import { Extension } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { BadOptionsError, NoMirrorError } from './errors.ts'
import { extensionKey, Mirror } from './mirror.ts'
import { parseOptions, type MirrorOptions } from './options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The mirror of the default balancer of this server, or of its only one. */
    mirror: Mirror
    /** Every mirror of this server, by the name of its balancer. */
    mirrors: ReadonlyMap<string, Mirror>
  }
}

const extension = new Extension<Mirror>({
  key: extensionKey,
  words: 'mirror',
  one: 'mirror',
  all: 'mirrors',
  badOptions: (fault) => new BadOptionsError(fault),
  none: (balancer) => new NoMirrorError(balancer),
})

async function plugin(app: FastifyInstance, options: MirrorOptions): Promise<void> {
  const parsed = parseOptions(options)
  const balancer = extension.balancerFor(app, parsed.balancer)
  const own = new Mirror(balancer, parsed, app.log)
  extension.add(app, balancer, own)
  app.addHook('onClose', async () => own.close())
}

/** `fastify.register(mirror, options)`, after the balancer. */
export const mirror = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/mirror',
  decorators: { fastify: ['balancers'] },
})

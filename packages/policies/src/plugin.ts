import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { policies } from './policies.ts'

async function plugin(app: FastifyInstance): Promise<void> {
  if (!app.hasDecorator('balancerPolicies')) app.decorate('balancerPolicies', {})
  Object.assign(app.balancerPolicies!, policies)
}

/** `fastify.register(policiesPlugin)`, before the balancer: `policy` can then name these, too. */
export const policiesPlugin = fp(plugin, { fastify: '5.x', name: '@fastify-balancer/policies' })

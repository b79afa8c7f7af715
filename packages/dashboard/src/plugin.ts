import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { builtPage } from './built-page.ts'
import { constraintsAt } from './catch-all.ts'
import { NoAdminRoutesError } from './errors.ts'
import { parseOptions, type DashboardOptions } from './options.ts'
import { pageRoutes } from './routes.ts'

async function plugin(app: FastifyInstance, given: DashboardOptions): Promise<void> {
  const options = parseOptions(given)
  const folder = builtPage()
  const { path, admin, insecure } = options
  if (!app.hasRoute({ method: 'GET', url: `${app.prefix}${admin}/balancers` })) throw new NoAdminRoutesError(admin)
  if (insecure && options.onRequest.length === 0)
    app.log.warn(`the dashboard at ${path} needs no authentication (insecure): anyone who reaches it can open the page`)
  await app.register(pageRoutes, { prefix: path, options, folder, constrained: constraintsAt(app, admin) })
}

/** `fastify.register(dashboard, options)`, after the admin routes, which provide its data. */
export const dashboard = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/dashboard',
  dependencies: ['@fastify-balancer/admin-routes'],
})

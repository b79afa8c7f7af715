import { adminRoutes, type AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import dashboardPlugin from '@fastify-balancer/dashboard'
import { BadOptionsError } from '@fastify-balancer/balancer-core'
import metricsPlugin, { type MetricsOptions } from '@fastify-balancer/metrics'
import type { FastifyInstance } from 'fastify'
import { dashboardOptions, type FacadeDashboardOptions } from './dashboard-options.ts'
import { metricsOptions } from './metrics-options.ts'
import { leadToPage } from './page-redirect.ts'

/** What stands around the balancers of an app, and is of all of them. */
export interface AdministrationOptions {
  readonly metrics: MetricsOptions | false
  readonly admin: AdminRoutesOptions | false
  /** Only with `admin`. */
  readonly dashboard: FacadeDashboardOptions | false
}

/** Adds the metrics, the admin routes and the page that are asked for. All balancers with constraints must be there. */
export async function administer(
  app: FastifyInstance,
  { metrics, admin, dashboard }: AdministrationOptions,
): Promise<void> {
  if (metrics !== false) {
    if (app.hasDecorator('balancerMetrics'))
      throw new BadOptionsError('metrics: there are some already, and they are of all balancers: give them to one only')
    await app.register(metricsPlugin, metricsOptions(metrics, admin))
  }
  if (admin === false) return
  const page = dashboard !== false && dashboardOptions(dashboard, admin)
  // Before the admin routes, which take everything below their prefix that is free.
  if (page !== false) await leadToPage(app, page)
  await app.register(adminRoutes, admin)
  if (page !== false) await app.register(dashboardPlugin, page)
}

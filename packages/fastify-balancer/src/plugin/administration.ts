import { adminRoutes, type AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import dashboardPlugin from '@fastify-balancer/dashboard'
import { BadOptionsError } from '@fastify-balancer/balancer-core'
import metricsPlugin, { type MetricsOptions } from '@fastify-balancer/metrics'
import type { FastifyInstance } from 'fastify'
import { dashboardOptions, type FacadeDashboardOptions } from './dashboard-options.ts'
import { metricsOptions } from './metrics-options.ts'
import { leadToPage } from './page-redirect.ts'

/** The plugins around the balancers of an app, shared by all of them. */
export interface AdministrationOptions {
  readonly metrics: MetricsOptions | false
  readonly admin: AdminRoutesOptions | false
  /** Only with `admin`. */
  readonly dashboard: FacadeDashboardOptions | false
}

/** Registers metrics, admin routes and dashboard, as far as wanted. All balancers with constraints must be registered before. */
export async function administer(
  app: FastifyInstance,
  { metrics, admin, dashboard }: AdministrationOptions,
): Promise<void> {
  if (metrics !== false) {
    if (app.hasDecorator('balancerMetrics'))
      throw new BadOptionsError(
        'metrics: already registered by another balancer: set them for one only, they cover all',
      )
    await app.register(metricsPlugin, metricsOptions(metrics, admin))
  }
  if (admin === false) return
  const page = dashboard !== false && dashboardOptions(dashboard, admin)
  // Before the admin routes, whose catch-all would take this path.
  if (page !== false) await leadToPage(app, page)
  await app.register(adminRoutes, admin)
  if (page !== false) await app.register(dashboardPlugin, page)
}

import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { DashboardOptions } from '@fastify-balancer/dashboard'

/** The dashboard's options; the rest follows from the admin routes. */
export type FacadeDashboardOptions = Omit<DashboardOptions, 'admin'>

/** Options of the dashboard, with its path and that of the admin routes. */
export type PageOptions = DashboardOptions & { readonly path: string; readonly admin: string }

/** The dashboard's options, with defaults from the admin routes: below their prefix, and behind their hooks for reading. */
export function dashboardOptions(given: FacadeDashboardOptions, admin: AdminRoutesOptions): PageOptions {
  const { prefix = '/_balancer', onRequest, preHandler, read, insecure = false, hosts } = admin
  // `preHandler` hooks too, run as `onRequest`: the page's requests have no body.
  const guards = [onRequest, read?.onRequest, preHandler, read?.preHandler].flat().filter((hook) => hook !== undefined)
  return {
    path: `${prefix}/dashboard`,
    admin: prefix,
    insecure,
    ...(hosts !== undefined && { hosts }),
    ...(guards.length > 0 && { onRequest: guards }),
    ...given,
  }
}

import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { DashboardOptions } from '@fastify-balancer/dashboard'

/** What of the page can be chosen here; the rest follows from the admin routes. */
export type FacadeDashboardOptions = Omit<DashboardOptions, 'admin'>

/** Options of the page, with the paths that it and the admin routes have. */
export type PageOptions = DashboardOptions & { readonly path: string; readonly admin: string }

/** The page's options, as far as they follow from the admin routes: it is below them, and for those who may look at them. */
export function dashboardOptions(given: FacadeDashboardOptions, admin: AdminRoutesOptions): PageOptions {
  const { prefix = '/_balancer', onRequest, preHandler, read, insecure = false, hosts } = admin
  // Those that wait for a body come too: the page has none.
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

import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { MetricsOptions } from '@fastify-balancer/metrics'

/** Figures that are as open as `insecure` admin routes are kept from the same strangers: those who ask by a name that nobody has listed. */
export function metricsOptions(given: MetricsOptions, admin: AdminRoutesOptions | false): MetricsOptions {
  if (admin === false || admin.insecure !== true || given.onRequest !== undefined) return given
  return { hosts: admin.hosts ?? [], ...given }
}

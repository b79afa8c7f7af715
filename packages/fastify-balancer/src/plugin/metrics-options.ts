import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { MetricsOptions } from '@fastify-balancer/metrics'

/** With `insecure` admin routes, unguarded metrics get the same protection against DNS rebinding: the `hosts` of `admin`. */
export function metricsOptions(given: MetricsOptions, admin: AdminRoutesOptions | false): MetricsOptions {
  if (admin === false || admin.insecure !== true || given.onRequest !== undefined) return given
  return { hosts: admin.hosts ?? [], ...given }
}

import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { DashboardOptions } from '@fastify-balancer/dashboard'
import { hooks, hosts, strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import type { FacadeDashboardOptions as Options } from './dashboard-options.generated.ts'

/** What of the page can be chosen here. What follows from `admin`, see `dashboardOptions`, has no default of its own. */
export const FacadeDashboardOptions = Type.Object(
  {
    path: Type.Optional(
      Type.String({ description: 'Where the page is; `dashboard` below the prefix of `admin` if not given' }),
    ),
    onRequest: hooks<onRequestHookHandler>(
      'Hooks that check who asks; those of `admin` for whoever may look if not given',
    ),
    insecure: Type.Optional(
      Type.Boolean({ description: 'Allow access without authentication; as `admin` does if not given' }),
    ),
    hosts: hosts('Host names at which the page answers; those of `admin` if not given'),
  },
  strict,
)
/** What of the page can be chosen here; the rest follows from the admin routes. */
export type FacadeDashboardOptions = Options

/** Options of the page, with the paths that it and the admin routes have. */
export type PageOptions = DashboardOptions & { readonly path: string; readonly admin: string }

/** The page's options, as far as they follow from the admin routes: it is below them, and for those who may look at them. */
export function dashboardOptions(given: FacadeDashboardOptions, admin: AdminRoutesOptions): PageOptions {
  const { prefix = '/_balancer', onRequest, preHandler, read, insecure = false, hosts: listed } = admin
  // Those that wait for a body come too: the page has none.
  const guards = [onRequest, read?.onRequest, preHandler, read?.preHandler].flat().filter((hook) => hook !== undefined)
  return {
    path: `${prefix}/dashboard`,
    admin: prefix,
    insecure,
    ...(listed !== undefined && { hosts: listed }),
    ...(guards.length > 0 && { onRequest: guards }),
    ...given,
  }
}

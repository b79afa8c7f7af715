import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { DashboardOptions } from '@fastify-balancer/dashboard'
import { hooks, hosts, strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import type { FacadeDashboardOptions as Options } from './dashboard-options.generated.ts'

/** The dashboard's options. What follows from `admin`, see `dashboardOptions`, has no default of its own. */
export const FacadeDashboardOptions = Type.Object(
  {
    path: Type.Optional(
      Type.String({ description: 'Path of the page; if not given, `dashboard` below the prefix of `admin`' }),
    ),
    onRequest: hooks<onRequestHookHandler>(
      'Hooks that authenticate requests for the page; if not given, those of `admin` for reading',
    ),
    insecure: Type.Optional(
      Type.Boolean({ description: 'Allow access without authentication; if not given, as `admin` does' }),
    ),
    hosts: hosts('Allowed values of `Host`; if not given, those of `admin`'),
  },
  strict,
)
/** The dashboard's options; the rest follows from the admin routes. */
export type FacadeDashboardOptions = Options

/** Options of the dashboard, with its path and that of the admin routes. */
export type PageOptions = DashboardOptions & { readonly path: string; readonly admin: string }

/** The dashboard's options, with defaults from the admin routes: below their prefix, and behind their hooks for reading. */
export function dashboardOptions(given: FacadeDashboardOptions, admin: AdminRoutesOptions): PageOptions {
  const { prefix = '/_balancer', onRequest, preHandler, read, insecure = false, hosts: listed } = admin
  // `preHandler` hooks too, run as `onRequest`: the page's requests have no body.
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

// Room `configuration`: what a file or a command line describes: listeners, balancers, and what stands around them.
import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { MetricsOptions } from '@fastify-balancer/metrics'
import type { ProxyProtocolOptions } from '@fastify-balancer/proxy-protocol'
import type { FacadeDashboardOptions } from '../plugin/dashboard-options.ts'
import type { BalancerOptions } from '../plugin/options.ts'
import type { UnderPressureOptions } from '../plugin/under-pressure.ts'
import type { Workers } from '../values/worker-count.ts'

/** How the log is written. */
export type LogForm = 'pretty' | 'json' | 'off'

/** Where requests come in: a port of an address, or a Unix socket. */
export interface Listener {
  readonly port?: number
  readonly host?: string
  /** Of a Unix socket, instead of `port` and `host`. */
  readonly path?: string
  /** Absolute paths of PEM files that were read and belong together. */
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly http2?: boolean
  /** Proxies whose `x-forwarded-*` headers are true: Fastify's `trustProxy`, but for a number of hops, which it trusts in no case. */
  readonly trustProxy?: boolean | string | readonly string[]
  /** Proxies that say by the PROXY protocol who the client is. */
  readonly proxyProtocol?: ProxyProtocolOptions
}

/** Who may use the admin API and the page. */
export interface AdminConfiguration extends Omit<
  AdminRoutesOptions,
  'onRequest' | 'preHandler' | 'read' | 'operate' | 'user'
> {
  /** A bearer token. */
  readonly token?: string
  /** Absolute path of a file with names and password hashes, as htpasswd writes it. */
  readonly basicAuth?: string
  /** A listener of its own; the others then do not have these routes. */
  readonly listen?: Listener
}

/** One balancer: what `register` takes, without what belongs to the whole process. */
export type BalancerConfiguration = Omit<BalancerOptions, 'admin' | 'metrics' | 'dashboard' | 'underPressure'>

/** Everything that runs, with secrets and files read. */
export interface Configuration {
  /** How many processes share the work; 1 if it is not given. */
  readonly workers?: Workers
  /** Are limits of what may be in flight to a backend those of all workers together? `true` if it is not given. */
  readonly divideLimits?: boolean
  readonly listen: readonly Listener[]
  readonly balancers: readonly BalancerConfiguration[]
  readonly admin: AdminConfiguration | false
  readonly metrics: MetricsOptions | false
  readonly dashboard: FacadeDashboardOptions | false
  readonly underPressure: UnderPressureOptions | false
  /** `file`: an absolute path, instead of standard output. */
  readonly log: { readonly form?: LogForm; readonly level?: string; readonly file?: string }
}

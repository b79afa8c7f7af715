// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { onRequestHookHandler } from 'fastify'
import type { Registry } from 'prom-client'

/** What `register` takes: everything optional. */
export interface MetricsOptions {
  /**
   * Add the route. With `false`, serve `await app.balancerMetrics.text()` yourself
   * @default true
   */
  route?: boolean
  /**
   * Path of the route
   * @default '/metrics'
   */
  path?: string
  /**
   * Hooks that authenticate requests for the route; without any it is open to all
   * @default none
   */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /**
   * Allowed values of `Host` besides `localhost` and IP addresses; others get 403, against DNS rebinding. If not given,
   * any. In `fastify-balancer` with `admin.insecure` and without `onRequest` here: those of `admin`
   */
  hosts?: readonly string[]
  /** Registry of prom-client for the metrics; a new one if not given */
  registry?: Registry
  /**
   * Add prom-client's metrics of the process: CPU, memory, event loop, garbage collection
   * @default false
   */
  defaultMetrics?: boolean
  /**
   * Upper bounds of histogram buckets, in seconds, ascending; those of tunnels are fixed
   * @default [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
   */
  buckets?: readonly number[]
  /**
   * Create OpenTelemetry spans: one for each request, with a child span for each attempt
   * @default false
   */
  tracing?: boolean
}

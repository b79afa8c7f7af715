// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { onRequestHookHandler } from 'fastify'
import type { Registry } from 'prom-client'

/** What `register` takes: everything optional. */
export interface MetricsOptions {
  /**
   * Add the route; `false` leaves it to `app.balancerMetrics.text()`
   * @default true
   */
  route?: boolean
  /**
   * Its path
   * @default '/metrics'
   */
  path?: string
  /**
   * Hooks of the route, e.g. one that asks who it is: figures tell much about a site
   * @default none
   */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /**
   * Host names at which the route answers, besides `localhost` and addresses; others get 403. If not given: any; in
   * `fastify-balancer` with `admin.insecure` and without `onRequest` here, those of `admin`
   */
  hosts?: readonly string[]
  /** A registry of prom-client's to put them into; a new one if not given */
  registry?: Registry
  /**
   * Also the process's own: CPU, memory, event loop, garbage collection
   * @default false
   */
  defaultMetrics?: boolean
  /**
   * Upper bounds of the histograms, in seconds, ascending
   * @default [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
   */
  buckets?: readonly number[]
  /**
   * Spans of OpenTelemetry: one for each request, below it one for each attempt
   * @default false
   */
  tracing?: boolean
}

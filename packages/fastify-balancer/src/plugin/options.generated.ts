// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { FacadeDashboardOptions } from './dashboard-options.generated.ts'
import type { StickyOptions } from './sticky-option.generated.ts'
import type { UnderPressureOptions } from './under-pressure.generated.ts'
import type { AdaptiveLimitSettings } from '@fastify-balancer/adaptive-limit'
import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { BalancerOptions as CoreOptions } from '@fastify-balancer/balancer-core'
import type { CircuitBreakerSettings } from '@fastify-balancer/circuit-breaker'
import type { FleetOptions } from '@fastify-balancer/fleet'
import type { HealthCheckSettings } from '@fastify-balancer/health-check'
import type { MetricsOptions } from '@fastify-balancer/metrics'
import type { MirrorSettings } from '@fastify-balancer/mirror'

/** What `register` takes: everything optional, nested objects in part; `false` leaves a plugin out. */
export interface BalancerOptions extends CoreOptions {
  /**
   * Sticky sessions: a client stays with the backend that answered it first, by a cookie or a header; `policy` chooses
   * for new clients
   * @default false
   */
  sticky?: StickyOptions | false
  /**
   * Health checks, active and passive; `false` = none
   * @default true
   */
  healthCheck?: HealthCheckSettings | boolean
  /**
   * A circuit breaker for each backend; `false` = none
   * @default true
   */
  circuitBreaker?: CircuitBreakerSettings | boolean
  /**
   * Finds for each backend how many requests it can have in flight, within `maxInFlight`; more wait in the queue
   * @default false
   */
  adaptiveLimit?: AdaptiveLimitSettings | boolean
  /**
   * Copies of a share of the requests go to other servers, too; what these answer is discarded
   * @default false
   */
  mirror?: MirrorSettings | false
  /**
   * Metrics for Prometheus, of all balancers of the server: give it to one balancer only. Open to all unless its
   * `onRequest` says otherwise
   * @default false
   */
  metrics?: MetricsOptions | boolean
  /**
   * Admin routes, for all balancers of the server: give it to one balancer only. They need `onRequest`, a hook that
   * checks who asks
   * @default false
   */
  admin?: AdminRoutesOptions | false
  /**
   * The live page. Needs `admin`; unless told otherwise, it is below the `prefix` of `admin`, behind its hooks for
   * reading
   * @default false
   */
  dashboard?: FacadeDashboardOptions | boolean
  /**
   * Acts as one with the other processes that have the same parent or store; `false` = alone
   * @default true
   */
  fleet?: FleetOptions | boolean
  /**
   * Answers 503 while the process is overloaded, whatever the balancer: give it to one balancer only, and not beside a
   * `@fastify/under-pressure` of your own
   * @default false
   */
  underPressure?: UnderPressureOptions | boolean
}

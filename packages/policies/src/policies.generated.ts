// Written by `node test/option-types.ts --write` from the schema in policies.ts: change that one.
/** What may stand beside `name: 'peak-ewma'`: everything that has a default is optional. */
export interface PeakEwmaSettings {
  /**
   * Time constant of the moving average of response times (ms)
   * @default 300
   */
  average?: number
  /**
   * How fast the past of an unused backend is forgotten: time constant (ms)
   * @default 5000
   */
  decay?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * What raises the average at once: a backend that has requests and sends nothing, or each response slower than the
   * average
   * @default 'silence'
   */
  peaks?: 'silence' | 'response'
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

/** What may stand beside `name: 'least-time'`: everything that has a default is optional. */
export interface LeastTimeSettings {
  /**
   * Where a response time ends: at the response headers, or at the end of the body; of event streams, gRPC and tunnels
   * always at the headers
   * @default 'first-byte'
   */
  to?: 'first-byte' | 'last-byte'
  /**
   * Count requests that have not been answered: their mean age, if that is longer than the average
   * @default false
   */
  inflight?: boolean
  /**
   * A backend without requests counts as twice as fast after each of these (ms)
   * @default 10000
   */
  halving?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

/** What may stand beside `name: 'c3'`: everything that has a default is optional. */
export interface C3Settings {
  /**
   * How many balancers send requests to the same backends
   * @default 1
   */
  balancers?: number
  /**
   * How fast the past of an unused backend is forgotten: time constant (ms)
   * @default 5000
   */
  decay?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

/** What may stand beside `name: 'prequal'`: everything that has a default is optional. */
export interface PrequalSettings {
  /**
   * Backends whose load is above this quantile are hot, and used only if all are; 0 = load alone counts
   * @default 0.84
   */
  quantile?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
  /**
   * Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them
   * @default false
   */
  reports?: boolean
}

declare module '@fastify-balancer/balancer-core' {
  interface PolicySettings {
    'peak-ewma': PeakEwmaSettings
    'least-time': LeastTimeSettings
    c3: C3Settings
    prequal: PrequalSettings
  }
}

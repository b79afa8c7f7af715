// Written by `node test/option-types.ts --write` from the schema in policies.ts: change that one.
/** What may stand beside `name: 'peak-ewma'`: everything that has a default is optional. */
export interface PeakEwmaSettings {
  /**
   * How long a slow response counts: the time constant of the mean (ms)
   * @default 10000
   */
  decay?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
}

declare module '@fastify-balancer/balancer-core' {
  interface PolicySettings {
    'peak-ewma': PeakEwmaSettings
  }
}

export type { BalancerMetrics } from './balancer-metrics.ts'
export type { Form } from './exposition/exposition.ts'
export { faultsOfOptions, MetricsOptions } from './options.ts'
export { metrics as default, metrics } from './plugin.ts'

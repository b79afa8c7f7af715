// The rules that an exchange goes by, for one that is simulated. Nothing of this package loads this.
export type { Attempt, AttemptOwner } from '../attempt/attempt.ts'
export type { AttemptRequest } from '../attempt/attempt-headers.ts'
export type { WaitingExchange } from '../balancer.ts'
export type { RequestPool } from '../connections/request-pool.ts'
export { channels } from '../channels.ts'
export { progressLimit } from './limits/progress-limit.ts'
export { TimeLimits } from './limits/time-limits.ts'
export { isListed, Retries } from './retry.ts'

export { balancer as default, balancer, type ForwardOptions } from './plugin.ts'
export type { Attempt, ExchangeView } from './attempt/attempt.ts'
export type { Backend, BackendState } from './backends/backend.ts'
export type { BackendSet } from './backends/backend-set.ts'
export type { ChangeOptions } from './backends/backends.ts'
export { Balancer } from './balancer.ts'
export type { Clock } from './clock.ts'
export type { DrainOptions } from './backends/drains.ts'
export { BadOptionsError, type FailureError } from './errors.ts'
export type { Explanation } from './picking/explain.ts'
export { failures, type Blame, type FailureReason, type Outcome } from './failure.ts'
export type { BalancerHooks, Verdict } from './hooks.ts'
export { BackendOptions } from './backends/backend-options.ts'
export { BalancerOptions, faultsOfOptions } from './options.ts'
export type { Picker, PickRequest, Policy } from './picking/policy.ts'
export type { Preview, PreviewedBackend } from './backends/preview.ts'
export type { PolicyName } from './picking/policies/by-name.ts'
export type {
  HeaderFields,
  IncomingResponse,
  OutgoingRequest,
  OutgoingResponse,
  RequestRewrite,
  ResponseRewrite,
} from './headers/rewrite.ts'
export type { Veto, VetoOptions, VetoView } from './backends/veto.ts'

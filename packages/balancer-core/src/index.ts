export { balancer as default, balancer, type ForwardOptions } from './plugin.ts'
export type { Attempt, ExchangeView } from './attempt.ts'
export type { Backend, BackendState } from './backend.ts'
export type { BackendSet } from './backend-set.ts'
export type { ChangeOptions } from './backends.ts'
export { Balancer } from './balancer.ts'
export type { Clock } from './clock.ts'
export type { DrainOptions } from './drains.ts'
export { BadOptionsError, type FailureError } from './errors.ts'
export type { Explanation } from './explain.ts'
export { failures, type Blame, type FailureReason, type Outcome } from './failure.ts'
export type { BalancerHooks, Verdict } from './hooks.ts'
export { BackendOptions } from './backend-options.ts'
export { BalancerOptions, faultsOfOptions } from './options.ts'
export type { Picker, PickRequest, Policy } from './policy.ts'
export type { Preview, PreviewedBackend } from './preview.ts'
export type { PolicyName } from './policies/by-name.ts'
export type {
  HeaderFields,
  IncomingResponse,
  OutgoingRequest,
  OutgoingResponse,
  RequestRewrite,
  ResponseRewrite,
} from './rewrite.ts'
export type { Veto, VetoOptions, VetoView } from './veto.ts'

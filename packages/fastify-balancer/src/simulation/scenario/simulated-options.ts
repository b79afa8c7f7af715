import type { Policy } from '@fastify-balancer/balancer-core'
import type { BalancerOptions } from '../../plugin/options.ts'

/** A policy as `register` takes it: by its name, with settings, or one of your own. */
export type ChosenPolicy = string | { readonly name: string; readonly [setting: string]: unknown } | Policy

/** The options of `register` that count in a simulation. */
export const simulatedOptions = [
  'timeouts',
  'retry',
  'queue',
  'panicThreshold',
  'slowStart',
  'drainDeadline',
  'healthCheck',
  'circuitBreaker',
] as const satisfies readonly (keyof BalancerOptions)[]

/** Those options. */
export type SimulatedOptions = Pick<BalancerOptions, (typeof simulatedOptions)[number]>

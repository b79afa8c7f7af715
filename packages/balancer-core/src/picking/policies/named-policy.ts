import { strict } from '@fastify-balancer/option-schema'
import { Type, type TObject } from '@sinclair/typebox'
import type { Backend } from '../../backends/backend.ts'
import type { Policy } from '../policy.ts'
import type { Draws } from './draws.ts'
import type { WeightLine } from './weights.ts'

/** What it costs to send one more request there; lower is better. Must change nothing: it is asked for `explain` too. */
export type PolicyCost = (backend: Backend) => number

/** What policies are built from. */
export interface PolicyParts {
  /** Returns 0 ≤ x < 1. */
  readonly random: () => number
  /** Makes the policy of the setting `policy`, for the choices that are not this one's; another one with each call. */
  readonly inner: () => Policy
  /** Backends laid end to end, each as long as its weight, for draws by weight. */
  readonly weightLine: (backends: readonly Backend[]) => Pick<WeightLine, 'drawn'>
  /** Random numbers with a look-ahead, for `peek`. */
  readonly draws: () => Draws
  /** The cheaper of two that are drawn at random by weight. O(1). */
  readonly twoChoices: (name: string, cost: PolicyCost) => Policy
  /** The cheapest of all relative to weight; ties take turns. O(n). */
  readonly least: (name: string, cost: PolicyCost) => Policy
}

/** A policy that options can name, as `'name'` or `{ name, ...settings }`. `Settings`: their type, with every default. */
export interface NamedPolicy<Settings = Readonly<Record<string, unknown>>> {
  /** What it does, in one line for tables and help. */
  readonly description: string
  /** What may stand beside `name`. A setting called `policy` is another policy, by name, settings or code. */
  readonly settings: TObject
  /** It must see every request, and cannot stand within another policy. */
  readonly isOutermost?: true
  /** What the schema cannot check: one line for each fault, beginning with the setting's name. */
  faults?(this: void, settings: Settings): readonly string[]
  make(this: void, settings: Settings, parts: PolicyParts): Policy
}

/** Policies by name. */
export type NamedPolicies = Readonly<Record<string, NamedPolicy>>

/** For policies that take no settings. */
export const noSettings = Type.Object({}, strict)

import type { Policy } from '../policy.ts'
import type { corePolicies } from './by-name.ts'

/** The settings of each policy by its name. A package that brings policies adds theirs, by declaration merging. */
export interface PolicySettings extends Readonly<Record<keyof typeof corePolicies, object>> {}

/** The name of a policy. */
export type PolicyName = keyof PolicySettings

/** What the option `policy` takes: a name, a name with settings, or a policy of one's own. */
export type PolicyOption =
  | PolicyName
  | { [Name in PolicyName]: { readonly name: Name } & PolicySettings[Name] }[PolicyName]
  | Policy

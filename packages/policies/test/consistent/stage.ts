import {
  Balancer,
  type Backend,
  type BackendOptions,
  type Picker,
  type PickRequest,
  type Policy,
} from '@fastify-balancer/balancer-core'
import { withDefaults } from '@fastify-balancer/option-schema'
import type { KeyOption } from '../../src/keys/key-option.ts'
import { consistentPolicies } from '../../src/consistent/consistent-policies.ts'

/** The names of the three. */
export const names = Object.keys(consistentPolicies) as (keyof typeof consistentPolicies)[]

/** Settings beside the name, as a user gives them. */
interface Settings {
  readonly key?: KeyOption
  readonly balance?: number | false
}

/** What requests without a key get in tests: the last of the list, by a policy called `inner`. */
export const inner: Policy = {
  name: 'inner',
  over: (available) => ({ pick: () => available.at(-1), peek: () => available.at(-1), basis: () => ({ turn: 1 }) }),
}

/** A policy that no balancer drives, so that the test sets the loads. Keys are in the header `x-key` unless given. */
export function policyOf(name: keyof typeof consistentPolicies, given: Settings = {}): Policy {
  const { settings, make } = consistentPolicies[name]
  const parts = { inner: () => inner } as unknown as Parameters<typeof make>[1]
  return make(withDefaults(settings, { key: { header: 'x-key' }, ...given }) as never, parts)
}

/** Backends of a balancer that nobody asks anything: `http://10.0.0.1:80`, … */
export function backendsOf(count: number, options: (index: number) => Partial<BackendOptions> = () => ({})): Backend[] {
  const backends = Array.from({ length: count }, (_, index) => ({
    url: `http://10.0.${index >> 8}.${index & 255}:80`,
    ...options(index),
  }))
  return [...new Balancer({ backends }).backends]
}

/** A request with this key. */
export function asking(key: string | undefined): PickRequest {
  return { method: 'GET', url: '/', headers: key === undefined ? {} : { 'x-key': key } }
}

/** `count` keys, the same ones each time. */
export function keysOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `user-${index}`)
}

/** The id of the backend to which each key goes. */
export function homesOf(picker: Picker, keys: readonly string[]): readonly (string | undefined)[] {
  return keys.map((key) => picker.pick(asking(key))?.id)
}

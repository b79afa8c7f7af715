import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** What may be given where a schema has defaults: everything optional, nested objects in part. */
export type Given<T> = {
  [K in keyof T]?: T[K] extends { [key: string]: unknown } ? (string extends keyof T[K] ? T[K] : Given<T[K]>) : T[K]
}

/** Copies plain objects and arrays, so that defaults are never written into the caller's; anything else by reference. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]))
}

/** Fills in defaults, in a copy. Does not validate: see `faultsOf`. */
export function withDefaults<Schema extends TSchema>(schema: Schema, given: unknown): Static<Schema> {
  return Value.Default(schema, copy(given))
}

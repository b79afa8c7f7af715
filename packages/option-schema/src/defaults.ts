import type { Static, TArray, TObject, TSchema, TUnion } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Open } from './parts.ts'
import { switched, type Switchable } from './switch.ts'

/** `true` means something where one form of an option is an object. */
type SwitchOf<Form> = false | (Extract<Form, TObject> extends never ? never : true)

/** What may be given for a part of a schema: lists that nobody writes to, and `true` or `false` where they mean something. */
type GivenPart<Schema extends TSchema> =
  | (Schema extends Switchable
      ? Schema extends TObject
        ? boolean
        : Schema extends TUnion<infer Parts>
          ? SwitchOf<Parts[number]>
          : false
      : never)
  | (Schema extends TObject
      ? Given<Schema> & (Schema extends Open ? Readonly<Record<string, unknown>> : unknown)
      : Schema extends TArray<infer Item>
        ? readonly Static<Item>[]
        : Schema extends TUnion<infer Parts>
          ? GivenPart<Parts[number]>
          : Static<Schema>)

/** What may be given where a schema has defaults: everything optional, nested objects in part. */
export type Given<Schema extends TObject> = {
  [Name in keyof Schema['properties']]?: GivenPart<Schema['properties'][Name]>
}

/** Copies plain objects and arrays, so that defaults are never written into the caller's; anything else by reference. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (value === null || typeof value !== 'object') return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]))
}

/** Fills in defaults, in a copy, and what `true` and `false` stand for. Does not validate: see `faultsOf`. */
export function withDefaults<Schema extends TSchema>(schema: Schema, given: unknown): Static<Schema> {
  return Value.Default(schema, switched(schema, copy(given)))
}

import { nearName } from '@fastify-balancer/option-schema'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { within } from '../document/fault.ts'

/** An object with members, as a file can hold one. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The names of the members that a schema knows. */
export function knownNames(schema: TSchema): readonly string[] {
  return Object.keys((schema.properties ?? {}) as object)
}

/** How well a mapping fits: the more members it has in common, misspelt ones included; one that says what it is, by a member of one value, first. */
function fitOf(schema: TSchema, value: object): number {
  const known = knownNames(schema)
  const names = known.filter((name) => Object.hasOwn(value, name))
  const misspelt = Object.keys(value).filter((name) => !known.includes(name) && nearName(name, known) !== undefined)
  const literals = names.map(
    (name) => [memberSchema(schema, name)?.const as unknown, Reflect.get(value, name)] as const,
  )
  const said = literals.filter(([literal]) => literal !== undefined)
  if (said.some(([literal, given]) => literal !== given)) return -1
  return names.length + said.length + misspelt.length / 2
}

/** Of a choice, the one that a value is meant to be, by its kind and by its members; undefined if that cannot be told. */
export function branchFor(value: unknown, choices: readonly TSchema[]): TSchema | undefined {
  if (!isPlain(value) && !Array.isArray(value)) return choices.find((choice) => Value.Check(choice, value))
  const kind = isPlain(value) ? 'object' : 'array'
  const ofKind = choices.filter(({ type }) => type === kind)
  // Of `{ header }` and `{ cookie }`, one that has both is neither.
  const near = isPlain(value) ? ofKind.filter((choice) => fitOf(choice, value) > 0) : []
  if (near.length > 1 && near.every((choice) => knownNames(choice).length === 1)) return undefined
  return ofKind.toSorted((one, other) => fitOf(other, value) - fitOf(one, value))[0]
}

/** The schema of a member, by its name. */
export function memberSchema(schema: TSchema, name: string): TSchema | undefined {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, TSchema>>
  if (Object.hasOwn(properties, name)) return properties[name]
  return Object.values((schema.patternProperties ?? {}) as Readonly<Record<string, TSchema>>)[0]
}

/** What is made of one value, given every schema that applies to it, from the outer to the inner. */
export type Change = (value: unknown, schemas: readonly TSchema[], pointer: string) => unknown

/** A copy of a value in which each part that the schema knows was changed; a part is asked about before its own parts. */
export function changed(value: unknown, schema: TSchema, change: Change, pointer = ''): unknown {
  const schemas = [schema]
  for (let [one] = schemas; one?.anyOf !== undefined; one = schemas.at(-1)) {
    const branch = branchFor(value, one.anyOf as readonly TSchema[])
    if (branch === undefined) break
    schemas.push(branch)
  }
  const own = change(value, schemas, pointer)
  const last = schemas.at(-1)!
  if (own !== value) return own
  if (Array.isArray(value)) {
    if (last.items === undefined) return value
    return value.map((item, index) => changed(item, last.items as TSchema, change, within(pointer, index)))
  }
  if (!isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      const member = memberSchema(last, name)
      return [name, member === undefined ? part : changed(part, member, change, within(pointer, name))]
    }),
  )
}

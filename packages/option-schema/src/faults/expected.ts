import type { TSchema } from '@sinclair/typebox'
import { hasParts, isSwitchable } from '../switch.ts'

/** What of a schema says what would do. */
interface Limits {
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly minProperties?: number
  readonly pattern?: string
}

/** `a`, `b or c`, `d, e or f`. */
function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function rangeOf({ minimum, maximum, exclusiveMinimum }: Limits): string {
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${maximum === undefined ? '' : `, up to ${maximum}`}`
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (minimum !== undefined) return ` of at least ${minimum}`
  return maximum === undefined ? '' : ` of at most ${maximum}`
}

function textOf({ pattern, minLength = 0, maxLength }: Limits): string {
  if (pattern !== undefined) return `a string that matches ${pattern}`
  if (maxLength !== undefined) return `a string of ${minLength} to ${maxLength} characters`
  if (minLength > 1) return `a string of at least ${minLength} characters`
  return minLength > 0 ? 'a string that is not empty' : 'a string'
}

const byType: Readonly<Record<string, (limits: Limits) => string>> = {
  integer: (limits) => `a whole number${rangeOf(limits)}`,
  number: (limits) => `a number${rangeOf(limits)}`,
  string: textOf,
  boolean: () => 'true or false',
  array: ({ minItems = 0 }) => (minItems > 0 ? 'an array that is not empty' : 'an array'),
  object: ({ minProperties = 0 }) => (minProperties > 0 ? 'an object that is not empty' : 'an object'),
  null: () => 'null',
}

/** With `true` and `false` at the end, where they mean something. */
function withSwitches(schema: TSchema, words: readonly string[]): readonly string[] {
  if (!isSwitchable(schema)) return words
  return [...words.filter((word) => word !== 'false'), ...(hasParts(schema) ? ['true'] : []), 'false']
}

/** Each of what would do, in words; undefined where the schema does not say. */
function choices(schema: TSchema): readonly string[] | undefined {
  const { anyOf, const: literal, type, expected: said } = schema
  if (typeof said === 'string') return [said]
  if (literal !== undefined) return [typeof literal === 'string' ? `'${literal}'` : String(literal)]
  if (Array.isArray(anyOf)) {
    const parts = (anyOf as TSchema[]).map(choices)
    return parts.includes(undefined) ? undefined : withSwitches(schema, [...new Set(parts.flat() as string[])])
  }
  const words = typeof type === 'string' ? byType[type]?.(schema as Limits) : undefined
  return words === undefined ? undefined : withSwitches(schema, [words])
}

/** What would do, in words: `'a', 'b' or false`, `a whole number from 1 to 5`; undefined where the schema does not say. */
export function expected(schema: TSchema): string | undefined {
  const words = choices(schema)
  return words === undefined ? undefined : oneOf(words)
}

/** The texts among which an option chooses. */
export function literalsOf({ anyOf, const: literal }: TSchema): readonly string[] {
  if (typeof literal === 'string') return [literal]
  return Array.isArray(anyOf) ? (anyOf as TSchema[]).flatMap(literalsOf) : []
}

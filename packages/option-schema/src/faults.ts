import type { TSchema } from '@sinclair/typebox'
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value'

/** The allowed values in words: `'a'`, `false`, `string`; undefined if the schema does not tell. */
function wordsFor({ anyOf, const: literal, type }: TSchema): string | undefined {
  if (literal !== undefined) return typeof literal === 'string' ? `'${literal}'` : String(literal)
  if (!Array.isArray(anyOf)) return typeof type === 'string' ? type : undefined
  const parts = (anyOf as TSchema[]).map(wordsFor)
  return parts.includes(undefined) ? undefined : [...new Set(parts)].join(' or ')
}

/** TypeBox's message for a union does not name its members. */
function textOf({ type, schema, message }: ValueError): string {
  const words = type === ValueErrorType.Union ? wordsFor(schema) : undefined
  return words === undefined ? `${message[0]!.toLowerCase()}${message.slice(1)}` : `expected ${words}`
}

/** Every violation of `schema` in `value`, one line each, with its place; `place` is the place of `value` itself. */
export function faultsOf(schema: TSchema, value: unknown, place = ''): string[] {
  // Listing faults costs ten times as much as a plain check.
  if (Value.Check(schema, value)) return []
  const faults = new Map<string, string>()
  for (const error of Value.Errors(schema, value)) {
    // A JSON pointer (RFC 6901), in which names are escaped.
    const names = error.path.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')
    const at = (place + names).replace(/^\./, '')
    // The first fault of a place is the most specific.
    if (!faults.has(at)) faults.set(at, `${at === '' ? '' : `${at}: `}${textOf(error)}`)
  }
  return [...faults.values()]
}

import type { TSchema } from '@sinclair/typebox'
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value'

/** What would do, in words: `'a'`, `false`, `string`; undefined where the schema does not say. */
function wordsFor({ anyOf, const: literal, type }: TSchema): string | undefined {
  if (literal !== undefined) return typeof literal === 'string' ? `'${literal}'` : String(literal)
  if (!Array.isArray(anyOf)) return typeof type === 'string' ? type : undefined
  const parts = (anyOf as TSchema[]).map(wordsFor)
  return parts.includes(undefined) ? undefined : [...new Set(parts)].join(' or ')
}

/** TypeBox says of a choice no more than that it is one. */
function textOf({ type, schema, message }: ValueError): string {
  const words = type === ValueErrorType.Union ? wordsFor(schema) : undefined
  return words === undefined ? `${message[0]!.toLowerCase()}${message.slice(1)}` : `expected ${words}`
}

/** Every way in which `value` breaks `schema`, one line each, with the place; `place` is where the value itself stands. */
export function faultsOf(schema: TSchema, value: unknown, place = ''): string[] {
  // To look for faults costs ten times as much as to see that there are none.
  if (Value.Check(schema, value)) return []
  const faults = new Map<string, string>()
  for (const error of Value.Errors(schema, value)) {
    // A JSON pointer (RFC 6901), in which names are escaped.
    const names = error.path.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')
    const at = (place + names).replace(/^\./, '')
    // The first fault of a place is the one that says most.
    if (!faults.has(at)) faults.set(at, `${at === '' ? '' : `${at}: `}${textOf(error)}`)
  }
  return [...faults.values()]
}

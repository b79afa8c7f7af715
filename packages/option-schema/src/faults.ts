import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** Every way in which `value` breaks `schema`, one line each, with the place; `place` is where the value itself stands. */
export function faultsOf(schema: TSchema, value: unknown, place = ''): string[] {
  // To look for faults costs ten times as much as to see that there are none.
  if (Value.Check(schema, value)) return []
  const faults = new Map<string, string>()
  for (const { path, message } of Value.Errors(schema, value)) {
    // A JSON pointer (RFC 6901), in which names are escaped.
    const names = path.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')
    const at = (place + names).replace(/^\./, '')
    // The first fault of a place is the one that says most.
    if (!faults.has(at)) faults.set(at, `${at === '' ? '' : `${at}: `}${message[0]!.toLowerCase()}${message.slice(1)}`)
  }
  return [...faults.values()]
}

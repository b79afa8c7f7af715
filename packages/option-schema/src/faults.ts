import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** Every way in which `value` breaks `schema`, one line each, with the place; `place` is where the value itself stands. */
export function faultsOf(schema: TSchema, value: unknown, place = ''): string[] {
  const faults = new Map<string, string>()
  for (const { path, message } of Value.Errors(schema, value)) {
    const at = (place + path.replaceAll('/', '.')).replace(/^\./, '')
    // The first fault of a place is the one that says most.
    if (!faults.has(at)) faults.set(at, `${at === '' ? '' : `${at}: `}${message[0]!.toLowerCase()}${message.slice(1)}`)
  }
  return [...faults.values()]
}

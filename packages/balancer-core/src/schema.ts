import { Type, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** Unknown keys are refused: a misspelt option should fail at boot, not at night. */
export const strict = { additionalProperties: false } as const

/** A duration; the largest is what a timer can hold. */
export const milliseconds = (description: string, byDefault: number) =>
  Type.Integer({
    minimum: 0,
    maximum: 2_147_483_647,
    default: byDefault,
    description: `${description} (ms; 0 = none)`,
  })

/** Something that no schema can describe: a function, or an object with functions. */
export const code = <T>(description: string) => Type.Optional(Type.Unsafe<T>(Type.Any({ description })))

/** Every way in which `value` breaks `schema`, one line each, with the place. */
export function faultsOf(schema: TSchema, value: unknown, place = ''): string[] {
  const faults = new Map<string, string>()
  for (const { path, message } of Value.Errors(schema, value)) {
    const at = (place + path.replaceAll('/', '.')).replace(/^\./, '')
    // The first fault of a place is the one that says most.
    if (!faults.has(at)) faults.set(at, `${at === '' ? '' : `${at}: `}${message[0]!.toLowerCase()}${message.slice(1)}`)
  }
  return [...faults.values()]
}

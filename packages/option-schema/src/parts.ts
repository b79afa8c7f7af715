import { Type } from '@sinclair/typebox'

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

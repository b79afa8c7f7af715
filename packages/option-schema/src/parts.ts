import { Type } from '@sinclair/typebox'

/** Unknown keys are refused: a misspelt option should fail at boot. */
export const strict = { additionalProperties: false } as const

/** A duration of at least `minimum` ms; 0, if allowed, means none. The maximum is what a timer can hold. */
export const milliseconds = (description: string, byDefault?: number, minimum = 0) =>
  Type.Integer({
    minimum,
    maximum: 2_147_483_647,
    default: byDefault,
    description: `${description} (${minimum === 0 ? 'ms; 0 = none' : 'ms'})`,
  })

/** An option that no schema can describe: a function, or an object with functions. */
export const code = <T>(description: string) => Type.Optional(Type.Unsafe<T>(Type.Any({ description })))

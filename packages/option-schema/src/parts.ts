import { Type, type TInteger, type TObject } from '@sinclair/typebox'
import { canBeOff, type Switchable } from './switch.ts'

/** Unknown keys are refused: a misspelt option should fail at boot. */
export const strict = { additionalProperties: false } as const

/**
 * A duration of at least `minimum` ms; where it may be 0, that is none, and so is `false`. The largest is what a timer can
 * hold.
 */
export function milliseconds(description: string, byDefault?: number, minimum?: 0): TInteger & Switchable
export function milliseconds(description: string, byDefault: number | undefined, minimum: number): TInteger
export function milliseconds(description: string, byDefault?: number, minimum = 0): TInteger {
  const duration = Type.Integer({
    minimum,
    maximum: 2_147_483_647,
    default: byDefault,
    description: `${description} (${minimum === 0 ? 'ms; 0 = none' : 'ms'})`,
  })
  return minimum === 0 ? canBeOff(duration, 0) : duration
}

/** An object that may hold more than is listed. */
export interface Open {
  readonly additionalProperties: true
}

/** An object that may hold more than its schema lists. */
export function open<Schema extends TObject>(schema: Schema): Schema & Open {
  return { ...schema, additionalProperties: true }
}

/** An option that no schema can describe: a function, or an object with functions. */
export const code = <T>(description: string) => Type.Optional(Type.Unsafe<T>(Type.Any({ description })))

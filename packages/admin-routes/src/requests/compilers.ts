import { faultsOf } from '@fastify-balancer/option-schema'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifySchemaCompiler } from 'fastify'
import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import { BadRequestError } from '../errors.ts'
import { textOf, WrittenView } from '../views/written-view.ts'

/** Converts text to the integer or boolean that a schema wants. Plain notation only: not `1e4`, `0x10` or ` 1`. */
function meant({ type }: TSchema, given: unknown): unknown {
  if (typeof given !== 'string') return given
  if (type === 'integer' && /^-?\d+$/.test(given)) return Number(given)
  if (type === 'boolean' && (given === 'true' || given === 'false')) return given === 'true'
  return given
}

function converted({ properties = {} }: TSchema, given: object): object {
  const entries = Object.entries(given).map(([name, text]) => {
    const part = Object.hasOwn(properties, name) ? (properties as Record<string, TSchema>)[name] : undefined
    return [name, part === undefined ? text : meant(part, text)] as const
  })
  return Object.fromEntries(entries)
}

/**
 * Validates requests by our schemas, independent of the app's own validator: names every fault, refuses unknown keys
 * instead of dropping them, and converts types only in the query and path, where everything is text.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const isText = httpPart === 'querystring' || httpPart === 'params'
  return (given: unknown) => {
    const value: unknown = isText ? Value.Default(schema, converted(schema, given as object)) : given
    const faults = faultsOf(schema, value)
    return faults.length > 0 ? { error: new BadRequestError(faults) } : { value }
  }
}

/** Writes only the properties that the schema names. */
export const serializerCompiler: FastifySerializerCompiler<TSchema> =
  ({ schema }) =>
  (data) =>
    (data as unknown) instanceof WrittenView // Fastify sends bytes as well.
      ? ((data as unknown as WrittenView).text as string)
      : textOf(schema, data)

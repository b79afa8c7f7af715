import { faultsOf } from '@fastify-balancer/option-schema'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifySchemaCompiler } from 'fastify'
import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import { BadRequestError } from '../errors.ts'
import { textOf, WrittenView } from '../views/written-view.ts'

/** What text says where a schema wants something else, if it says it plainly: not `1e4`, nor `0x10`, nor ` 1`. */
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
 * Checks requests by our schemas: every fault is named, unknown keys are refused and not dropped, and only what stands in
 * the address, where all is text, is converted. Whatever the app checks its own routes with is not asked.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const isText = httpPart === 'querystring' || httpPart === 'params'
  return (given: unknown) => {
    const value: unknown = isText ? Value.Default(schema, converted(schema, given as object)) : given
    const faults = faultsOf(schema, value)
    return faults.length > 0 ? { error: new BadRequestError(faults) } : { value }
  }
}

/** Writes what the schema names, and nothing else. */
export const serializerCompiler: FastifySerializerCompiler<TSchema> =
  ({ schema }) =>
  (data) =>
    (data as unknown) instanceof WrittenView // Fastify sends bytes as well.
      ? ((data as unknown as WrittenView).text as string)
      : textOf(schema, data)

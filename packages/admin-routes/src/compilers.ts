import { faultsOf } from '@fastify-balancer/option-schema'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifySchemaCompiler } from 'fastify'
import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import { BadRequestError } from './errors.ts'

/**
 * Checks requests by our schemas: every fault is named, unknown keys are refused and not dropped, and only what stands in
 * the address, where all is text, is converted. Whatever the app checks its own routes with is not asked.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const isText = httpPart === 'querystring' || httpPart === 'params'
  return (given: unknown) => {
    const value: unknown = isText ? Value.Default(schema, Value.Convert(schema, { ...(given as object) })) : given
    const faults = faultsOf(schema, value)
    return faults.length > 0 ? { error: new BadRequestError(faults) } : { value }
  }
}

/** Writes what the schema names, and nothing else. */
export const serializerCompiler: FastifySerializerCompiler<TSchema> =
  ({ schema }) =>
  (data) =>
    JSON.stringify(Value.Clean(schema, JSON.parse(JSON.stringify(data)) as unknown))

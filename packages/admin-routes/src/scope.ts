import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Where routes are added; request types come from their schemas. */
export type Scope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** The tag of every route in an OpenAPI document. */
export const tags = ['load-balancer']

/** A path parameter, with its regular expression if it has one. */
const parameter = /:(\w+)(?:\([^/]*\))?/g

/** The prefix of our paths, with a request's values in place of parameters. */
export function prefixOf({ prefix }: Scope, { params }: Pick<FastifyRequest, 'params'>): string {
  const given = params as Readonly<Record<string, string>>
  return encodeURI(prefix).replace(parameter, (_whole, name: string) => encodeURIComponent(given[name] ?? ''))
}

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Where routes are added; their types come out of their schemas. */
export type Scope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** The tag of every route in an OpenAPI document. */
export const tags = ['load-balancer']

/** A part of a path that has a name, with what it has to match, if that is said. */
const parameter = /:(\w+)(?:\([^/]*\))?/g

/** What stands before a path of ours, with what a request has in place of parameters. */
export function prefixOf({ prefix }: Scope, { params }: Pick<FastifyRequest, 'params'>): string {
  const given = params as Readonly<Record<string, string>>
  return encodeURI(prefix).replace(parameter, (_whole, name: string) => encodeURIComponent(given[name] ?? ''))
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServerResponse } from 'node:http'

/** Its client has gone. A response over HTTP/2 does not know it, but its stream does. */
export function isGone(response: ServerResponse & { readonly stream?: { readonly destroyed: boolean } }): boolean {
  return response.destroyed || response.stream?.destroyed === true
}

/** Calls back, once or several times, when whoever waits for an answer has gone, or has it. */
export function whenGone({ raw: request }: FastifyRequest, { raw: response }: FastifyReply, leave: () => void): void {
  if (isGone(response) || request.errored !== null) return leave()
  response.once('close', leave)
  // A response that stands behind another on its connection is not told when that is lost; its request is.
  request.once('close', () => request.errored !== null && leave())
}

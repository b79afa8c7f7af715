import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServerResponse } from 'node:http'

/** Has the client disconnected? Over HTTP/2 only the stream knows. */
export function isGone(response: ServerResponse & { readonly stream?: { readonly destroyed: boolean } }): boolean {
  return response.destroyed || response.stream?.destroyed === true
}

/** Calls back, once or several times, when the client has disconnected or has its response. */
export function whenGone({ raw: request }: FastifyRequest, { raw: response }: FastifyReply, leave: () => void): void {
  if (isGone(response) || request.errored !== null) return leave()
  response.once('close', leave)
  // A pipelined response does not notice a lost connection; its request does.
  request.once('close', () => request.errored !== null && leave())
}

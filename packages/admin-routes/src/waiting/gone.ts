import type { ServerResponse } from 'node:http'

/** Its client has gone. A response over HTTP/2 does not know it, but its stream does. */
export function isGone(response: ServerResponse & { readonly stream?: { readonly destroyed: boolean } }): boolean {
  return response.destroyed || response.stream?.destroyed === true
}

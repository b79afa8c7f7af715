import type { ServerOptions as Http1Options } from 'node:http'
import type { SecureServerOptions } from 'node:http2'
import type { Server as NetServer } from 'node:net'

/** What an HTTP/2 server was made with. */
export type Http2Options = SecureServerOptions & { readonly http1Options?: Http1Options }

/** The options of an HTTP/2 server. Node has no public way to ask; undefined where it keeps them elsewhere. */
export function optionsOf(server: NetServer): Http2Options | undefined {
  // A test pins it for each version of Node.
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'options')
  const options = key === undefined ? undefined : (server as unknown as Record<symbol, unknown>)[key]
  return typeof options === 'object' && options !== null ? options : undefined
}

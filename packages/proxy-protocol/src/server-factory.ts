import type { FastifyServerFactory, RawServerBase, RawServerDefault } from 'fastify'
import type { RequestListener } from 'node:http'
import type { ServerSettings } from './inner-servers.ts'
import { parseOptions, type ProxyProtocolOptions } from './options.ts'
import { ProxyProtocolServer } from './proxy-protocol-server.ts'

/**
 * A `serverFactory` of Fastify whose server reads the header of the PROXY protocol, version 1 or 2, on connections of
 * the proxies that `from` lists, before HTTP/1.1; before TLS, if the app has `https`; and before HTTP/2, if it has
 * `http2`: all on one port. Connections of others are ordinary ones.
 * @throws BadOptionsError naming every fault at once
 */
export function proxyProtocol<Server extends RawServerBase = RawServerDefault>(
  options: ProxyProtocolOptions,
): FastifyServerFactory<Server> {
  const parsed = parseOptions(options)
  return (handler, settings: ServerSettings) => {
    const server = new ProxyProtocolServer(parsed, settings, handler as RequestListener)
    const { keepAliveTimeout, requestTimeout, connectionTimeout = 0, maxRequestsPerSocket = 0 } = settings
    // As Fastify does with the server that it makes itself.
    if (keepAliveTimeout !== undefined) server.keepAliveTimeout = keepAliveTimeout
    if (requestTimeout !== undefined) server.requestTimeout = requestTimeout
    if (maxRequestsPerSocket > 0) server.maxRequestsPerSocket = maxRequestsPerSocket
    server.setTimeout(connectionTimeout)
    return server as RawServerBase as Server
  }
}

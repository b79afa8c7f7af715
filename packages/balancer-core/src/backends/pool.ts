import { isIP, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import type { Connect } from '../connections/connection.ts'
import { ConnectionPool } from '../connections/connection-pool.ts'
import { Http2Pool } from '../connections/http2/http2-pool.ts'
import type { RequestPool } from '../connections/request-pool.ts'
import type { HostName } from '../names/host-name.ts'
import { following, lookupOptions } from '../connections/address-following.ts'
import type { PoolOptions, TimeoutOptions } from './pool-options.ts'

/** Opens sockets to one backend. The TLS server name is the backend's, whatever the request's Host says. */
function connectorOf(
  hostname: string,
  { protocol, tls }: PoolOptions,
  timeout: number,
  host: HostName | undefined,
): Connect {
  const connect = buildConnector({
    // How much a paused connection reads ahead, in bytes: undici's 64 KiB is too much with hundreds of slow clients.
    highWaterMark: 16_384,
    ...lookupOptions(host),
    ...tls,
    timeout,
    allowH2: protocol !== 'http1',
    preferH2: true,
    useH2c: protocol === 'h2c',
  } as buildConnector.BuildOptions)
  // An IP address must not be sent as a server name (RFC 6066 §3); Node still verifies it.
  const servername = typeof tls.servername === 'string' ? tls.servername : isIP(hostname) === 0 ? hostname : undefined
  return (options, callback) => {
    const named = options.protocol === 'https:' && servername !== undefined ? { ...options, servername } : options
    if (named === options) delete options.servername
    // undici's types do not say that it returns the socket.
    return connect(named, (...answer: Parameters<buildConnector.Callback>) => {
      const [error, socket] = answer
      const isUsable = protocol !== 'http2' || error !== null || (socket as TLSSocket).alpnProtocol === 'h2'
      if (isUsable) return callback(...answer)
      ;(socket as TLSSocket).destroy()
      callback(new Error('the backend does not speak HTTP/2'), null)
    }) as Socket | undefined
  }
}

function now(): number {
  return performance.now()
}

/**
 * Opens the pool of one backend. It applies only the timeout for connecting; for the others see `time-limit-sweep.ts`.
 */
export function openPool(url: string, options: PoolOptions, timeouts: TimeoutOptions, host?: HostName): RequestPool {
  const { connections, keepAliveTimeout, keepAliveMaxTimeout, maxHeaderSize, protocol } = options
  // Certificates name IPv6 addresses without brackets.
  const connect = connectorOf(new URL(url).hostname.replace(/^\[|\]$/g, ''), options, timeouts.connect, host)
  if (protocol !== 'http1') {
    return new Http2Pool({
      url: new URL(url),
      connectorFor: (connection) => (host === undefined ? connect : following(host, connect, () => connection)),
      connectTimeout: timeouts.connect,
      connections,
      keepAliveTimeout,
      maxHeaderSize,
      now,
    })
  }
  return new ConnectionPool(
    url,
    connections,
    (connection) => (host === undefined ? connect : following(host, connect, connection)),
    {
      keepAliveTimeout,
      keepAliveMaxTimeout,
      maxHeaderSize,
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
      allowH2: false,
    },
  )
}

/**
 * A pool of one new connection, for the retry after a kept connection turned out to be closed. The caller closes it.
 */
export function openFresh(url: string, options: PoolOptions, timeouts: TimeoutOptions, host?: HostName): RequestPool {
  return openPool(url, { ...options, connections: 1 }, timeouts, host)
}

import { isIP, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { buildConnector, type Client } from 'undici'
import type { Connect } from '../connections/connection.ts'
import { memoryReuse } from '../connections/memory-reuse.ts'
import { ConnectionPool } from '../connections/connection-pool.ts'
import { Handshakes } from '../connections/handshakes.ts'
import { Http2Pool } from '../connections/http2/http2-pool.ts'
import type { RequestPool } from '../connections/request-pool.ts'
import type { HostName } from '../names/host-name.ts'
import { following, lookupOptions, type Retiring } from '../connections/address-following.ts'
import { poolLimits, type PoolLimits, type PoolOptions, type TimeoutOptions } from './pool-options.ts'

/** Opens sockets to one backend. The TLS server name is the backend's, whatever the request's Host says. */
function connectorOf(
  hostname: string,
  { protocol, tls }: PoolOptions,
  limits: Readonly<PoolLimits>,
  host: HostName | undefined,
): Connect {
  const build = (timeout: number) =>
    buildConnector({
      // How much a paused connection reads ahead, in bytes: undici's 64 KiB is too much with hundreds of slow clients.
      highWaterMark: 16_384,
      ...lookupOptions(host),
      ...(protocol === 'http1' && { onread: memoryReuse }),
      ...tls,
      timeout,
      allowH2: protocol !== 'http1',
      preferH2: true,
      useH2c: protocol === 'h2c',
    } as buildConnector.BuildOptions)
  let timeout = limits.connectTimeout
  let connect = build(timeout)
  // An IP address must not be sent as a server name (RFC 6066 §3); Node still verifies it.
  const servername = typeof tls.servername === 'string' ? tls.servername : isIP(hostname) === 0 ? hostname : undefined
  return (options, callback) => {
    const named = options.protocol === 'https:' && servername !== undefined ? { ...options, servername } : options
    if (named === options) delete options.servername
    if (timeout !== limits.connectTimeout) connect = build((timeout = limits.connectTimeout))
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
 * Opens the pool of one backend. `limits` may change while it is open. It applies only the timeout for connecting; for
 * the others see `time-limit-sweep.ts`.
 */
export function openPool(
  url: string,
  options: PoolOptions,
  limits: Readonly<PoolLimits>,
  host?: HostName,
): RequestPool {
  const { keepAliveTimeout, keepAliveMaxTimeout, maxHeaderSize, protocol } = options
  // Certificates name IPv6 addresses without brackets.
  const hostname = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const connect = connectorOf(hostname, options, limits, host)
  const tied = (one: Connect) => (connection: () => Client | Retiring) =>
    host === undefined ? one : following(host, one, connection)
  if (protocol !== 'http1') {
    // Whether a backend takes WebSockets over HTTP/2 is known late; with TLS it can be asked for HTTP/1.1 instead.
    const instead = protocol === 'http2' && connectorOf(hostname, { ...options, protocol: 'http1' }, limits, host)
    return new Http2Pool({
      url: new URL(url),
      connectorFor: (connection) => tied(connect)(() => connection),
      get connections() {
        return limits.connections
      },
      get connectTimeout() {
        return limits.connectTimeout
      },
      keepAliveTimeout,
      maxHeaderSize,
      handshakes: instead === false ? undefined : new Handshakes(url, tied(instead), maxHeaderSize),
      now,
    })
  }
  return new ConnectionPool(url, limits, tied(connect), {
    keepAliveTimeout,
    keepAliveMaxTimeout,
    maxHeaderSize,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
  })
}

/**
 * A pool of one new connection, for the retry after a kept connection turned out to be closed. The caller closes it.
 */
export function openFresh(url: string, options: PoolOptions, timeouts: TimeoutOptions, host?: HostName): RequestPool {
  return openPool(url, options, { ...poolLimits(options, timeouts), connections: 1 }, host)
}

/** Can a pool that was opened with `before` go on with `after`? Otherwise another takes its place. */
export function isSamePool(before: PoolOptions, after: PoolOptions): boolean {
  const { connections } = after
  return isDeepStrictEqual({ ...before, connections }, after)
}

import { addressIn } from '@fastify-balancer/option-schema'
import type { TLSSocket } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { buildConnector } from 'undici'
import type { Connect, ConnectorOf } from '../connections/connect.ts'
import { memoryReuse } from '../connections/http1/memory-reuse.ts'
import { ClientPools } from '../connections/client-pools.ts'
import { ConnectionPool } from '../connections/http1/connection-pool.ts'
import { Handshakes } from '../connections/http1/handshakes.ts'
import { headerFirst } from '../connections/header-first.ts'
import { Http2Pool } from '../connections/http2/http2-pool.ts'
import type { ProxyVersion } from '../connections/proxy-header.ts'
import type { RequestPool } from '../connections/request-pool.ts'
import type { BackendTls } from '../connections/tls/backend-tls.ts'
import type { HostName } from '../names/host-name.ts'
import { following, lookupOptions } from '../connections/address-following.ts'
import { lifetime, poolLimits, type PoolLimits, type PoolOptions, type TimeoutOptions } from './pool-options.ts'

/** The backend that a pool is for, as far as connecting is concerned. */
export interface Reached {
  readonly url: string
  /** Its host name; undefined for an address. */
  readonly host: HostName | undefined
  readonly tls: BackendTls
  /** Each connection says by the PROXY protocol who its client is. */
  readonly proxyProtocol: ProxyVersion | undefined
}

/** Opens sockets to one backend. The TLS server name is the backend's, whatever the request's Host says. */
function connectorOf({ url, host, tls }: Reached, { protocol }: PoolOptions, limits: Readonly<PoolLimits>): Connect {
  const { origin, socketPath } = addressIn(url)
  const { hostname: bracketed, protocol: scheme } = new URL(origin)
  // Certificates name IPv6 addresses without brackets.
  const hostname = bracketed.replace(/^\[|\]$/g, '')
  const isSecure = scheme === 'https:'
  const tlsOptions = tls.optionsFor(isSecure)
  // undici resumes sessions of TLS, but holds them by weak references only.
  const resumable: { session?: Buffer } = {}
  const build = (timeout: number, onread = protocol === 'http1') =>
    buildConnector({
      // How much a paused connection reads ahead, in bytes: undici's 64 KiB is too much with hundreds of slow clients.
      highWaterMark: 16_384,
      ...lookupOptions(host),
      ...(socketPath !== undefined && { socketPath }),
      ...(onread && { onread: memoryReuse }),
      ...tlsOptions,
      timeout,
      allowH2: protocol !== 'http1',
      preferH2: true,
      useH2c: protocol === 'h2c',
    } as buildConnector.BuildOptions) as Connect
  let timeout = limits.connectTimeout
  let connect = build(timeout)
  const servername = isSecure ? tls.serverNameFor(hostname) : undefined
  /** Opens a socket of TLS, whose errors tell which certificate they are about. */
  const watched: Connect = (options, callback) => {
    let connected: (() => void) | undefined
    const opened = connect(options, (...answer: Parameters<buildConnector.Callback>) => {
      connected?.()
      callback(...answer)
    }) as TLSSocket | undefined
    if (opened === undefined) return undefined
    connected = tls.watch(opened)
    return opened.on('session', (session: Buffer) => (resumable.session = session))
  }
  return (options, callback) => {
    const named = servername === undefined ? options : { ...options, servername }
    if (named === options) delete options.servername
    if (timeout !== limits.connectTimeout) connect = build((timeout = limits.connectTimeout))
    const direct = isSecure ? watched : connect
    const { header } = options
    const open =
      header === undefined
        ? direct
        : headerFirst(header, { connect: isSecure ? build(timeout, false) : connect, encrypt: direct, limit: timeout })
    return open(named, (...answer: Parameters<buildConnector.Callback>) => {
      const [error, socket] = answer
      const isUsable = protocol !== 'http2' || error !== null || (socket as TLSSocket).alpnProtocol === 'h2'
      if (isUsable) return callback(...answer)
      ;(socket as TLSSocket).destroy()
      callback(new Error('the backend does not speak HTTP/2'), null)
    })
  }
}

function now(): number {
  return performance.now()
}

/** How the connections of one pool are opened. */
interface Opening {
  readonly connect: Connect
  /** For HTTP/1.1 where the backend does not take WebSockets over HTTP/2, which is known late; undefined without TLS. */
  readonly instead: Connect | undefined
}

/** The same connections, each with a header before everything else. */
function withHeader({ connect, instead }: Opening, header: Buffer): Opening {
  const headed =
    (one: Connect): Connect =>
    (place, callback) =>
      one({ ...place, header }, callback)
  return { connect: headed(connect), instead: instead && headed(instead) }
}

/**
 * Opens the pool of one backend. `limits` may change while it is open. It applies only the timeout for connecting; for
 * the others see `time-limit-sweep.ts`. With the PROXY protocol, each connection is of one client.
 */
export function openPool(backend: Reached, options: PoolOptions, limits: Readonly<PoolLimits>): RequestPool {
  const opening = {
    connect: connectorOf(backend, options, limits),
    instead: options.protocol === 'http2' ? connectorOf(backend, { ...options, protocol: 'http1' }, limits) : undefined,
  }
  const { proxyProtocol } = backend
  if (proxyProtocol === undefined) return poolOver(opening, backend, options, limits)
  return new ClientPools(proxyProtocol, limits, (header) =>
    poolOver(withHeader(opening, header), backend, options, limits),
  )
}

/** The connections that are opened so. */
function poolOver(
  { connect, instead }: Opening,
  { url, host }: Reached,
  options: PoolOptions,
  limits: Readonly<PoolLimits>,
): RequestPool {
  const { keepAliveTimeout, keepAliveMaxTimeout, maxHeaderSize, protocol, maxAge } = options
  const age = () => lifetime(maxAge, limits.random)
  const { origin } = addressIn(url)
  const tied =
    (one: Connect): ConnectorOf =>
    (connection) =>
      host === undefined ? one : following(host, one, connection)
  if (protocol !== 'http1') {
    return new Http2Pool({
      url: new URL(origin),
      connectorFor: (connection) => tied(connect)(() => connection),
      get connections() {
        return limits.connections
      },
      get connectTimeout() {
        return limits.connectTimeout
      },
      keepAliveTimeout,
      maxHeaderSize,
      ...options.http2,
      handshakes: instead && new Handshakes(origin, tied(instead), maxHeaderSize),
      lifetime: age,
      now,
    })
  }
  return new ConnectionPool(origin, limits, tied(connect), age, {
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
export function openFresh(backend: Reached, options: PoolOptions, timeouts: TimeoutOptions): RequestPool {
  return openPool(backend, options, { ...poolLimits(options, timeouts), connections: 1 })
}

/** Can a pool that was opened with `before` go on with `after`, as far as all backends are concerned? Their TLS is not. */
export function isSamePool(before: PoolOptions, after: PoolOptions): boolean {
  const { connections, tls } = after
  return isDeepStrictEqual({ ...before, connections, tls }, after)
}

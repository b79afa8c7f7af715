import { Client, Pool, type Dispatcher } from 'undici'
import type { PoolOptions, TimeoutOptions } from './pool-options.ts'

/** A handler that wants to know which connection carries it, and whether its Pool took it. */
export interface ConnectionAware {
  connection: Connection | undefined
  refused: boolean
}

/** One connection of a Pool; it tells whether it has carried a request yet, and survives a request that undici refuses. */
export class Connection extends Client {
  /** Connected, and nothing has been sent over it. */
  fresh = false

  constructor(origin: URL, options: Client.Options) {
    super(origin, options)
    this.on('connect', () => {
      this.fresh = true
    })
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const aware = handler as Partial<ConnectionAware>
    aware.connection = this
    // For a request that it refuses, undici answers `false`, which its Pool takes for "busy until drained": that
    // connection would never be used again.
    return super.dispatch(options, handler) || aware.refused === true
  }
}

/** Opens the Pool of one backend. Every timeout that undici can keep is kept there, at no cost to a request. */
export function openPool(url: string, options: PoolOptions, timeouts: TimeoutOptions): Pool {
  const { connections, keepAliveTimeout, keepAliveMaxTimeout, protocol, tls } = options
  const { hostname, protocol: scheme } = new URL(url)
  return new Pool(url, {
    connections,
    pipelining: protocol === 'http1' ? 1 : 100,
    keepAliveTimeout,
    keepAliveMaxTimeout,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.idle,
    allowH2: protocol !== 'http1',
    ...(protocol === 'h2c' && { useH2c: true }),
    connect: {
      // Fixed for each backend: undici would take it from Host, and reconnect whenever that changes.
      ...(scheme === 'https:' && { servername: hostname, ...(protocol === 'http2' && { ALPNProtocols: ['h2'] }) }),
      ...tls,
      timeout: timeouts.connect,
    },
    factory: (origin: URL, clientOptions: object) => new Connection(origin, clientOptions),
  } as Pool.Options)
}

/**
 * A Pool of one new connection, for the second try after a kept connection turned out to be closed. To be closed by
 * whoever opened it.
 */
export function openFresh(url: string, options: PoolOptions, timeouts: TimeoutOptions): Pool {
  return openPool(url, { ...options, connections: 1 }, timeouts)
}

import { errors } from 'undici'
import type { Connect } from './connect.ts'

/** How to open the socket of a connection that begins with a header of the PROXY protocol. */
interface HeaderFirst {
  /** Opens a connection without TLS. */
  readonly connect: Connect
  /** Opens one with TLS: over `httpSocket`, which is open. */
  readonly encrypt: Connect
  /** Time limit of both together (ms; 0 = none). */
  readonly limit: number
}

/**
 * Opens a socket and writes a header as its first bytes, before TLS (HAProxy's `doc/proxy-protocol.txt`, §2), and all of
 * it at once.
 */
export function headerFirst(header: Buffer, { connect, encrypt, limit }: HeaderFirst): Connect {
  return (options, callback) => {
    const until = performance.now() + limit
    const isSecure = options.protocol === 'https:'
    const { servername: _, ...plain } = options
    const place = isSecure ? { ...plain, protocol: 'http:', port: options.port || '443' } : plain
    return connect(place, (error, socket) => {
      if (error !== null) return callback(error, null)
      socket.write(header)
      if (!isSecure) return callback(null, socket)
      const timer =
        limit === 0
          ? undefined
          : setTimeout(
              () => encrypted?.destroy(new errors.ConnectTimeoutError('TLS was not ready in time')),
              Math.max(0, until - performance.now()),
            ).unref()
      const encrypted = encrypt({ ...options, httpSocket: socket }, (...answer: Parameters<typeof callback>) => {
        clearTimeout(timer)
        callback(...answer)
      })
    })
  }
}

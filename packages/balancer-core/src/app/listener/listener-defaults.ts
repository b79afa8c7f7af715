import type { ServerOptions as Http1Options } from 'node:http'
import type { SecureServerOptions, ServerOptions } from 'node:http2'

/** A setting of HTTP/2 that every listener of a balancer has, unless its app has set another value. */
export const streamSettings = {
  // Node announces 4 294 967 295. nginx and Caddy's Go have 128 and 250, HAProxy, Apache and Envoy (at the edge) 100.
  maxConcurrentStreams: 128,
  // Node has 65 535: an upload is then no faster than 650 KB/s over a line of 100 ms. With this it is 2.6 MB/s. It is also
  // what one stream can hold in memory that nobody has read.
  initialWindowSize: 262_144,
} as const

/**
 * Window of a connection (bytes), which all its streams share: 42 MB/s over a line of 100 ms. It costs no memory: Node
 * grants it again as soon as data arrives, and what is not read is bounded by the windows of the streams.
 */
export const connectionWindow = 4_194_304

const limits = {
  settings: {
    ...streamSettings,
    // As nginx takes (4 × 8 KiB). Node has 65 535, and for HTTP/1.1 16 KiB.
    maxHeaderListSize: 32_768,
  },
  // Browsers send each cookie as a field of its own; the size above is limit enough (32 bytes count for each field). Node
  // has 128.
  maxHeaderListPairs: 1024,
  // MB. Responses that slow readers have not taken count; from there on, Node refuses the next requests of a connection.
  // Node has 10, which 128 streams of 80 KB fill.
  maxSessionMemory: 64,
  // Rapid reset (CVE-2023-44487). Node has 1000 and 33 per second, which another proxy reaches by its many users.
  streamResetBurst: 10_000,
  streamResetRate: 100,
} as const satisfies ServerOptions

const tlsLimits = {
  ...limits,
  allowHTTP1: true,
  // ms. Node has 120 s, for clients that begin TLS and do not go on.
  handshakeTimeout: 10_000,
} as const satisfies SecureServerOptions

/** What a listener without TLS gets. */
export interface PlainListener {
  readonly http: ServerOptions & Http1Options
}

/** What a listener with TLS gets. */
export interface SecureListener {
  readonly https: SecureServerOptions
}

/**
 * Options of Fastify for a listener that the internet can reach: `Fastify({ http2: true, ...listenerDefaults() })`, and with
 * TLS `Fastify({ http2: true, ...listenerDefaults({ https: { cert, key } }) })`, where clients may use HTTP/1.1 as well. What
 * you give is kept, and counts before these values. Without `http2`, they change nothing but the time for a TLS handshake.
 *
 * | option | here | Node's |
 * |---|---|---|
 * | `settings.maxConcurrentStreams` | 128 | 4 294 967 295 |
 * | `settings.initialWindowSize` (bytes) | 262 144 | 65 535 |
 * | `settings.maxHeaderListSize` (bytes) | 32 768 | 65 535 |
 * | `maxHeaderListPairs` | 1024 | 128 |
 * | `maxSessionMemory` (MB) | 64 | 10 |
 * | `streamResetBurst`, `streamResetRate` (per second) | 10 000, 100 | 1000, 33 |
 * | `handshakeTimeout` (ms) | 10 000 | 120 000 |
 *
 * The first two, and a connection window of 4 MiB, every app with a balancer has, unless it has set others. Memory that one
 * hostile connection can hold: uploads that backends do not take, 128 × 256 KiB = 32 MiB; responses that it does not read, 64 MB.
 */
export function listenerDefaults(given?: { readonly http?: ServerOptions & Http1Options }): PlainListener
export function listenerDefaults(given: { readonly https: SecureServerOptions }): SecureListener
export function listenerDefaults({
  http,
  https,
}: {
  readonly http?: ServerOptions & Http1Options
  readonly https?: SecureServerOptions
} = {}): PlainListener | SecureListener {
  const settings = { ...limits.settings, ...(https ?? http)?.settings }
  if (https === undefined) return { http: { ...limits, ...http, settings } }
  return { https: { ...tlsLimits, ...https, settings } }
}

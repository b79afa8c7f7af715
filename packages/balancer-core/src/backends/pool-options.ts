import { Type, type Static } from '@sinclair/typebox'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { TlsOptions } from '../connections/tls/tls-options.ts'

/** How to speak to a backend. */
const Protocol = Type.Union([Type.Literal('http1'), Type.Literal('http2'), Type.Literal('h2c')])
/** How to speak to a backend: HTTP/1.1, HTTP/2 over TLS, or HTTP/2 without TLS. */
export type Protocol = Static<typeof Protocol>

const protocols = '`http1` = HTTP/1.1, `http2` = HTTP/2 over TLS, `h2c` = HTTP/2 without TLS'

/** Bytes that a backend may send ahead: RFC 9113 §6.9.1 allows up to 2³¹ − 1. */
const windowBytes = { minimum: 65_535, maximum: 2_147_483_647 }

const Http2Options = Type.Object(
  {
    // A response gets at most one window per round trip: 512 KiB are 42 Mbit/s over 100 ms, and 4 Gbit/s over 1 ms; Node's
    // 64 KiB would be 5 Mbit/s over 100 ms. It is also what a client that does not read costs in memory, so that the
    // 100 streams of a connection hold 50 MiB at most. (grpc-go and nghttp2 begin with 64 KiB, Go's own client takes
    // 4 MiB, Envoy 16 MiB, curl 10 MiB.)
    streamWindow: Type.Integer({
      ...windowBytes,
      default: 524_288,
      description:
        'How much of one response a backend may send ahead of its client (bytes): the most that a response gets per round trip, and the most memory that a client costs that does not read',
    }),
    // All responses of a connection together: 8 MiB are 670 Mbit/s over 100 ms. It costs no memory of its own: what has
    // arrived counts as read for the connection at once, so that one slow client does not hold up the others.
    connectionWindow: Type.Integer({
      ...windowBytes,
      default: 8_388_608,
      description: 'The same for all responses of one connection together (bytes); takes no memory of its own',
    }),
    // gRPC servers close connections that send PING more often than every 5 minutes (`too_many_pings`).
    pingInterval: milliseconds(
      'After how long without a byte a connection with requests is checked by PING; gRPC servers allow 5 minutes and more',
      330_000,
    ),
    // As `keepalive_timeout_ms` of gRPC.
    pingTimeout: Type.Integer({
      minimum: 1,
      default: 20_000,
      description: 'How long a backend has to answer that; then its requests fail, and the connection is closed (ms)',
    }),
  },
  { ...strict, default: {}, description: 'Connections over HTTP/2' },
)

export const PoolOptions = Type.Object(
  {
    connections: Type.Integer({ minimum: 1, default: 1024, description: 'Most connections to each backend' }),
    keepAliveTimeout: Type.Integer({
      minimum: 1,
      default: 4000,
      description:
        "How long an idle connection is kept, unless the backend's `Keep-Alive: timeout` says otherwise (ms)",
    }),
    keepAliveMaxTimeout: Type.Integer({
      minimum: 1,
      default: 600_000,
      description: 'Upper limit for what the backend says there (ms)',
    }),
    // Four times Node's limit: more than nginx takes of a request (`large_client_header_buffers`, 4 × 8k) and Envoy of a
    // response (60 KiB), less than Chrome does (256 KiB).
    maxHeaderSize: Type.Integer({
      minimum: 1024,
      maximum: 1_048_576,
      default: 65_536,
      description: 'Largest response header, names and values together (bytes); larger ones end in 502',
    }),
    protocol: Type.Union(Protocol.anyOf, { default: 'http1', description: `Protocol to backends: ${protocols}` }),
    maxAge: milliseconds(
      'How long a connection is used before a new one takes its place, e.g. so that changes of DNS and of layer-4 balancers have their effect; each gets up to 10 % less at random. Requests in progress finish first',
      0,
    ),
    http2: Http2Options,
    tls: TlsOptions,
  },
  { ...strict, default: {}, description: 'The connections to each backend' },
)

/** What a backend may have of its own, in place of what `pool` says. */
export const ownPoolOptions = {
  protocol: Type.Optional(
    Type.Union(Protocol.anyOf, { description: `Its protocol, if it is not that of \`pool\`: ${protocols}` }),
  ),
}
/** What a backend may have of its own. */
export interface OwnPoolOptions {
  readonly protocol?: Protocol
}

/** The options for the connections to one backend; without own ones, the same object. */
export function poolOptionsOf({ protocol }: OwnPoolOptions, pool: PoolOptions): PoolOptions {
  return protocol === undefined || protocol === pool.protocol ? pool : { ...pool, protocol }
}

/** What open pools go by from now on, too; the other options only count for pools that are opened later. */
export interface PoolLimits {
  /** To each backend at most. */
  connections: number
  /** Name look-up, TCP and TLS together (ms; 0 = none). */
  connectTimeout: number
  /** Random numbers for the ages of connections: 0 ≤ x < 1. */
  random: () => number
}

/** The part of the options that holds for open pools. */
export function poolLimits(
  { connections }: PoolOptions,
  { connect }: TimeoutOptions,
  random: () => number = Math.random,
): PoolLimits {
  return { connections, connectTimeout: connect, random }
}

/** How long one connection is used, in ms: `maxAge` less up to 10 %, so that those of one moment do not end at one. */
export function lifetime(maxAge: number, random: () => number): number {
  return maxAge === 0 ? Infinity : maxAge * (1 - 0.1 * random())
}

/** The connections to each backend. */
export type PoolOptions = Static<typeof PoolOptions>

export const TimeoutOptions = Type.Object(
  {
    connect: milliseconds('Connecting to a backend: name look-up, TCP and TLS together', 2000),
    continue: milliseconds(
      'For requests with `Expect: 100-continue`: how long to wait for a connection, and then (1 s at most) for the backend to ask for the body',
      1000,
    ),
    headers: milliseconds('From the end of the request to the response headers', 30_000),
    idle: milliseconds('No byte sent or received, on either side', 60_000),
    // Envoy's default for idle streams; nginx (`grpc_read_timeout`) would end a quiet one after 60 s.
    stream: milliseconds(
      'gRPC, gRPC-Web and streams of Connect, in place of `headers` and `idle`: nothing sent by either side. A client that sets a deadline of its own waits until that',
      300_000,
    ),
    request: milliseconds('The whole request, with retries and response body', 0),
    queue: milliseconds('Waiting in the queue for a backend to become free', 1000),
  },
  { ...strict, default: {}, description: 'Time limits' },
)
/** Time limits. */
export type TimeoutOptions = Static<typeof TimeoutOptions>

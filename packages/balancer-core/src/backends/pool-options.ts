import { Type, type Static } from '@sinclair/typebox'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { TlsOptions } from '../connections/tls/tls-options.ts'

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
    protocol: Type.Union([Type.Literal('http1'), Type.Literal('http2'), Type.Literal('h2c')], {
      default: 'http1',
      description: 'Protocol to backends: `http1` = HTTP/1.1, `http2` = HTTP/2 over TLS, `h2c` = HTTP/2 without TLS',
    }),
    tls: TlsOptions,
  },
  { ...strict, default: {}, description: 'The connections to each backend' },
)
/** What open pools go by from now on, too; the other options only count for pools that are opened later. */
export interface PoolLimits {
  /** To each backend at most. */
  connections: number
  /** Name look-up, TCP and TLS together (ms; 0 = none). */
  connectTimeout: number
}

/** The part of the options that holds for open pools. */
export function poolLimits({ connections }: PoolOptions, { connect }: TimeoutOptions): PoolLimits {
  return { connections, connectTimeout: connect }
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

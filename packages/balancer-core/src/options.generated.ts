// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { BackendOptions } from './backends/backend-options.generated.ts'
import type { Clock } from './clock.ts'
import type { PolicyName } from './picking/policies/by-name.ts'
import type { Policy } from './picking/policy.ts'
import type { RequestRewrite } from './request/request-rewrite.ts'
import type { ResponseRewrite } from './response/response-rewrite.ts'

/** What `register` takes: everything optional, nested objects in part. */
export interface BalancerOptions {
  /**
   * The name under `fastify.balancers`; unique on one server
   * @default 'default'
   */
  name?: string
  /**
   * The path below which requests are forwarded
   * @default '/'
   */
  prefix?: string
  /**
   * Fastify's route constraints: `host`, `version`
   * @default {}
   */
  constraints?: Record<string, unknown>
  /**
   * Register the catch-all route; without it, only `reply.forward()` forwards
   * @default true
   */
  route?: boolean
  /**
   * How responses go out: straight to the socket, through `reply.send` and its `onSend` hooks, or whichever a route
   * needs
   * @default 'auto'
   */
  lane?: 'auto' | 'raw' | 'full'
  /**
   * Addresses, or objects as below
   * @default []
   */
  backends?: readonly (string | BackendOptions)[]
  /**
   * How a backend is chosen: `round-robin`, `weighted`, `random`, `p2c`, `least-requests`, or a `Policy` of your own
   * @default 'round-robin'
   */
  policy?: PolicyName | { name: PolicyName } | Policy
  /** The connections to each backend */
  pool?: {
    /**
     * Connections to each backend at most
     * @default 1024
     */
    connections?: number
    /**
     * How long an idle connection is kept, unless the backend hints otherwise (ms)
     * @default 4000
     */
    keepAliveTimeout?: number
    /**
     * The longest hint that is honoured (ms)
     * @default 600000
     */
    keepAliveMaxTimeout?: number
    /**
     * The largest header of a response, names and values together (bytes); a larger one is answered with 502
     * @default 65536
     */
    maxHeaderSize?: number
    /**
     * What is spoken to backends: HTTP/1.1, HTTP/2 over TLS, or HTTP/2 in clear
     * @default 'http1'
     */
    protocol?: 'http1' | 'http2' | 'h2c'
    /**
     * Node's `tls.connect` options for `https://` backends; certificates are verified unless `rejectUnauthorized:
     * false` is written
     * @default {}
     */
    tls?: Record<string, unknown>
  }
  /** How long is waited, and for what */
  timeouts?: {
    /**
     * Name look-up, TCP and TLS together (ms; 0 = none)
     * @default 2000
     */
    connect?: number | false
    /**
     * For `expect: 100-continue`: how long to wait for a connection, and then for the backend to ask for the body (that
     * 1 s at most) (ms; 0 = none)
     * @default 1000
     */
    continue?: number | false
    /**
     * From the request sent to the response headers (ms; 0 = none)
     * @default 30000
     */
    headers?: number | false
    /**
     * Without a byte moving, on either side (ms; 0 = none)
     * @default 60000
     */
    idle?: number | false
    /**
     * The whole exchange, retries and body included (ms; 0 = none)
     * @default 0
     */
    request?: number | false
    /**
     * Waiting for a backend to become free (ms; 0 = none)
     * @default 1000
     */
    queue?: number | false
  }
  /**
   * Which requests are tried again. `false` = none that a backend may already have processed; what never reached one
   * still goes to another
   */
  retry?: {
    /**
     * How often to retry a request that a backend may already have processed
     * @default 1
     */
    attempts?: number
    /**
     * Methods that may be retried so; what never reached a backend goes to another one whatever its method
     * @default ["GET", "HEAD", "OPTIONS"]
     */
    methods?: readonly string[]
    /**
     * Response statuses that count as worth another attempt
     * @default []
     */
    statuses?: readonly number[]
    /** How many retries there may be at all, so that they do not overload what is left */
    budget?: {
      /**
       * Retries allowed as a share of the requests of the last 10 s
       * @default 0.2
       */
      ratio?: number
      /**
       * Retries allowed each second in any case
       * @default 10
       */
      floor?: number
    }
  } | boolean
  /** Where requests wait while every backend is full */
  queue?: {
    /**
     * Requests that may wait for a backend to become free; more get 503 at once
     * @default 1024
     */
    max?: number
  } | boolean
  /**
   * Requests in progress at once in this process, all its balancers together; more get 503 at once. If not given: two
   * fifths of `ulimit -n`, since each request needs two sockets
   */
  maxExchanges?: number
  /**
   * A client that reads its response, or sends a body of known length, more slowly than this is cut off (bytes a
   * second, on average over `timeouts.idle`; 0 = no limit)
   * @default 240
   */
  minClientRate?: number
  /**
   * Below this available share, soft vetoes are ignored; 0 = only when none is available, `false` = never
   * @default 0
   */
  panicThreshold?: number | false
  /**
   * How long a backend that joins or comes back takes to get its whole share (ms; 0 = none)
   * @default 0
   */
  slowStart?: number | false
  /**
   * How long a drained or removed backend, or the whole app, may finish what it has (ms; 0 = none)
   * @default 30000
   */
  drainDeadline?: number | false
  /** Which headers say where a request comes from; `false` = none */
  forwarded?: {
    /**
     * Send `x-forwarded-for`, `-proto` and `-host`. What a peer trusted by `trustProxy` has sent is kept and added to;
     * what others have sent is removed, also with `false`
     * @default true
     */
    xForwarded?: boolean
    /**
     * Send `forwarded` (RFC 7239), by the same rule
     * @default false
     */
    forwarded?: boolean
    /**
     * More headers that only a trusted peer may send, such as `true-client-ip` or `cf-connecting-ip`; from others they
     * are removed, also if spelt `true_client_ip`
     * @default []
     */
    also?: readonly string[]
    /**
     * Add `via` (RFC 9110 §7.6.3), both ways
     * @default false
     */
    via?: boolean
  } | boolean
  /**
   * The `host` that backends see: `preserve` the client's, `backend` for their own, or this text
   * @default 'preserve'
   */
  host?: string
  /**
   * `strict` answers 400 to paths with dot segments, and to paths that a backend may read as another route of your app;
   * `as-is` forwards every path
   * @default 'strict'
   */
  paths?: 'strict' | 'as-is'
  /**
   * Name of a header, such as `x-request-id`, in which backends get `request.id`; one that a peer trusted by
   * `trustProxy` has sent is passed on instead
   * @default false
   */
  requestId?: string | false
  /**
   * Name the reason of a failure in `x-balancer-failure`
   * @default false
   */
  failureHeader?: boolean
  /**
   * Log paths with their query, which may hold passwords and tokens: in the balancer's lines, and in Fastify's own
   * lines about the balancer's routes. Other routes of the app are logged as your `logger` does it
   * @default false
   */
  logQuery?: boolean
  /** Changes of what is sent, and of what is answered */
  rewrite?: {
    /**
     * Take the prefix off the path
     * @default false
     */
    stripPrefix?: boolean
    /**
     * `({ in, out }) => {}`: changes method, path and headers of what is sent, after all hygiene
     * @default none
     */
    request?: RequestRewrite
    /**
     * `({ in, out }) => {}`: changes status and headers of what is answered, and in the full lane the body
     * @default none
     */
    response?: ResponseRewrite
  }
  /**
   * Where time comes from, for tests
   * @default none
   */
  clock?: Clock
  /**
   * Where randomness comes from, for tests: 0 ≤ x < 1
   * @default none
   */
  random?: () => number
}

// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { BackendOptions } from './backends/backend-options.generated.ts'
import type { Clock } from './clock.ts'
import type { PolicyOption } from './picking/policies/policy-option.ts'
import type { Classify } from './picking/queue/queue-options.ts'
import type { RequestRewrite } from './rewriting/request-rewrite.ts'
import type { ResponseRewrite } from './rewriting/response-rewrite.ts'

/** What `register` takes: everything optional, nested objects in part. */
export interface BalancerOptions {
  /**
   * Name of this balancer, e.g. in `fastify.balancers` and the log; unique on one server
   * @default 'default'
   */
  name?: string
  /**
   * Requests below this path are forwarded
   * @default '/'
   */
  prefix?: string
  /**
   * Fastify's route constraints: `host`, `version`
   * @default {}
   */
  constraints?: Record<string, unknown>
  /**
   * Forward every request below `prefix` that no other route takes; with `false`, only `reply.forward()` forwards
   * @default true
   */
  route?: boolean
  /**
   * How responses are sent: `raw` straight to the socket (fast), `full` through `reply.send` and its `onSend` hooks,
   * `auto` = `full` only for routes with such hooks
   * @default 'auto'
   */
  lane?: 'auto' | 'raw' | 'full'
  /**
   * The servers to forward to: addresses, or objects as below
   * @default []
   */
  backends?: readonly (string | BackendOptions)[]
  /**
   * How a backend is chosen: `round-robin`, `weighted`, `random`, `p2c`, `least-requests`, another that a plugin has
   * registered, or a `Policy` of your own
   * @default 'round-robin'
   */
  policy?: PolicyOption
  /** The connections to each backend */
  pool?: {
    /**
     * Most connections to each backend
     * @default 1024
     */
    connections?: number
    /**
     * How long an idle connection is kept, unless the backend's `Keep-Alive: timeout` says otherwise (ms)
     * @default 4000
     */
    keepAliveTimeout?: number
    /**
     * Upper limit for what the backend says there (ms)
     * @default 600000
     */
    keepAliveMaxTimeout?: number
    /**
     * Largest response header, names and values together (bytes); larger ones end in 502
     * @default 65536
     */
    maxHeaderSize?: number
    /**
     * Protocol to backends: `http1` = HTTP/1.1, `http2` = HTTP/2 over TLS, `h2c` = HTTP/2 without TLS
     * @default 'http1'
     */
    protocol?: 'http1' | 'http2' | 'h2c'
    /**
     * How long a connection is used before a new one takes its place, e.g. so that changes of DNS and of layer-4
     * balancers have their effect; each gets up to 10 % less at random. Requests in progress finish first (ms; 0 =
     * none)
     * @default 0
     */
    maxAge?: number | false
    /** Connections over HTTP/2 */
    http2?: {
      /**
       * How much of one response a backend may send ahead of its client (bytes): the most that a response gets per
       * round trip, and the most memory that a client costs that does not read
       * @default 524288
       */
      streamWindow?: number
      /**
       * The same for all responses of one connection together (bytes); takes no memory of its own
       * @default 8388608
       */
      connectionWindow?: number
      /**
       * After how long without a byte a connection with requests is checked by PING; gRPC servers allow 5 minutes and
       * more (ms; 0 = none)
       * @default 330000
       */
      pingInterval?: number | false
      /**
       * How long a backend has to answer that; then its requests fail, and the connection is closed (ms)
       * @default 20000
       */
      pingTimeout?: number
    }
    /**
     * TLS to `https://` backends: these options, and all that Node's `tls.connect` takes. Certificates are verified
     * unless you set `rejectUnauthorized: false`
     */
    tls?: {
      /**
       * PEM file with the CA certificates that backends are verified against, instead of those that come with Node.
       * This file and the next two are read again when they change
       * @default none
       */
      caFile?: string
      /**
       * PEM file with the client certificate that is presented to backends, followed by its intermediate certificates
       * @default none
       */
      certFile?: string
      /**
       * PEM file with the private key of `certFile`; its `passphrase`, if it has one, is an option of Node
       * @default none
       */
      keyFile?: string
      /**
       * Names or IP addresses: the certificate must be for one of them, instead of for the host in the backend's URL.
       * The first name is sent as server name (SNI), unless `servername` is given
       */
      names?: readonly string[]
      /**
       * SHA-256 digests, of which the backend's certificate must have one, in addition to all other checks: of its
       * public key (`sha256/` and Base64) or of the whole certificate (`AB:CD:…`, as `openssl x509 -fingerprint
       * -sha256` prints it)
       * @default none
       */
      pins?: readonly string[]
      /** Lowest version of TLS. Default: Node's `tls.DEFAULT_MIN_VERSION`, TLSv1.2 */
      minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
      [option: string]: unknown
    }
  }
  /** Time limits */
  timeouts?: {
    /**
     * Connecting to a backend: name look-up, TCP and TLS together (ms; 0 = none)
     * @default 2000
     */
    connect?: number | false
    /**
     * For requests with `Expect: 100-continue`: how long to wait for a connection, and then (1 s at most) for the
     * backend to ask for the body (ms; 0 = none)
     * @default 1000
     */
    continue?: number | false
    /**
     * From the end of the request to the response headers (ms; 0 = none)
     * @default 30000
     */
    headers?: number | false
    /**
     * No byte sent or received, on either side (ms; 0 = none)
     * @default 60000
     */
    idle?: number | false
    /**
     * gRPC, gRPC-Web and streams of Connect, in place of `headers` and `idle`: nothing sent by either side. A client
     * that sets a deadline of its own waits until that (ms; 0 = none)
     * @default 300000
     */
    stream?: number | false
    /**
     * The whole request, with retries and response body (ms; 0 = none)
     * @default 0
     */
    request?: number | false
    /**
     * Waiting in the queue for a backend to become free (ms; 0 = none)
     * @default 1000
     */
    queue?: number | false
  }
  /**
   * Which requests are retried. `false` = none that a backend may already have processed; requests that never reached a
   * backend still go to another one
   */
  retry?: {
    /**
     * How often to retry a request that a backend may already have processed: on another backend, or on the same one if
     * there is no other
     * @default 1
     */
    attempts?: number
    /**
     * Methods that may be retried like this. A request that never reached a backend goes to another one with any method
     * @default ["GET", "HEAD", "OPTIONS"]
     */
    methods?: readonly string[]
    /**
     * Response statuses that are retried
     * @default []
     */
    statuses?: readonly number[]
    /**
     * Longest wait before a first retry; before the next ones 3, 7 and then 10 times as long. The wait is a random part
     * of that (full jitter), so that clients do not come back together. A request that never reached its backend goes
     * to another one at once; with a delay it is also retried where there is no other (ms; 0 = none)
     * @default 0
     */
    delay?: number | false
    /**
     * gRPC statuses, such as `UNAVAILABLE`, that are retried, whatever `methods` says: only calls that have had no
     * response header yet, and whose request is complete and at most 64 KiB. A call may then run twice. A backend that
     * sends `grpc-retry-pushback-ms` above 0 or below is not asked again
     * @default []
     */
    grpc?: readonly ('CANCELLED' | 'UNKNOWN' | 'INVALID_ARGUMENT' | 'DEADLINE_EXCEEDED' | 'NOT_FOUND' | 'ALREADY_EXISTS' | 'PERMISSION_DENIED' | 'RESOURCE_EXHAUSTED' | 'FAILED_PRECONDITION' | 'ABORTED' | 'OUT_OF_RANGE' | 'UNIMPLEMENTED' | 'INTERNAL' | 'UNAVAILABLE' | 'DATA_LOSS' | 'UNAUTHENTICATED')[]
    /** Limit on all retries together, so that they do not overload the remaining backends */
    budget?: {
      /**
       * Retry budget: retries allowed, as a share of the requests of the last 10 s
       * @default 0.2
       */
      ratio?: number
      /**
       * Retry budget: retries per second that are always allowed
       * @default 10
       */
      floor?: number
    }
  } | boolean
  /**
   * Send a second attempt of a slow request to another backend, and take the first response (hedging); `true` = with
   * these defaults. Only requests without a body, with an idempotent method of `retry.methods`
   * @default false
   */
  hedge?: {
    /**
     * A request is slow when it has waited for response headers longer than this share of recent ones did (%)
     * @default 95
     */
    percentile?: number
    /**
     * Shortest time until a request counts as slow (ms)
     * @default 1
     */
    minDelay?: number
    /** Limit on all second attempts together */
    budget?: {
      /**
       * Hedging budget: second attempts allowed, as a share of the requests of the last 10 s that may be hedged
       * @default 0.05
       */
      ratio?: number
      /**
       * Hedging budget: second attempts per second that are always allowed
       * @default 0
       */
      floor?: number
    }
  } | boolean
  /** Queue for requests while every backend is at its limit */
  queue?: {
    /**
     * How many requests may wait when all backends are at their limit; more get 503 at once
     * @default 1024
     */
    max?: number
    /** Who goes first in the queue */
    priority?: {
      /**
       * Classes of waiting requests, the most important first, e.g. `['high', 'normal', 'low']`: free places go to the
       * first one that waits. When the queue is full, a request displaces the newest one of the least important class
       * below its own, which gets 503. Empty = all are equal
       * @default []
       */
      classes?: readonly string[]
      /**
       * The class of requests for which neither `classify` nor `header` names one. Required with `classes`
       * @default none
       */
      default?: string
      /**
       * Name of a request header, such as `x-priority`, that names the class. From a peer trusted by `trustProxy` it
       * may be any; other clients can only lower themselves with it
       * @default none
       */
      header?: string
      /**
       * `(request) => class`: names the class, before `header`, and is always trusted; `undefined` leaves it to
       * `header`. Called only for requests that must wait, after the hooks of your app
       * @default none
       */
      classify?: Classify
      /**
       * Each class but the first gets at least this share of the free places while it waits, so that it does not
       * starve; 0 = strict priority
       * @default 0.1
       */
      share?: number
    }
    /**
     * `codel`: when a class has been waiting for `interval` without a break, it is overloaded. Until its queue is
     * empty, its newest requests are served first, and those that have waited longer than `target` get 503 when the
     * next request comes or a place is free, but for the last one. `false` = first come, first served, until
     * `timeouts.queue`
     * @default false
     */
    shed?: 'codel' | false
    /**
     * With `shed`: how long requests may wait during overload (ms)
     * @default 5
     */
    target?: number
    /**
     * With `shed`: how long a class must be waiting to be overloaded (ms)
     * @default 100
     */
    interval?: number
  } | boolean
  /** WebSocket and other protocols that a connection switches to */
  upgrade?: {
    /**
     * Protocols that clients may switch to, as `Upgrade` names them; requests for others are answered as ordinary HTTP
     * (RFC 9110 §7.8). With none, those for WebSocket get 426
     * @default ["websocket"]
     */
    protocols?: readonly string[]
    /**
     * No byte in either direction; then the tunnel is closed (ms; 0 = none)
     * @default 600000
     */
    idle?: number | false
    /**
     * The same, once one side has ended (ms; 0 = none)
     * @default 30000
     */
    linger?: number | false
    /**
     * How long a tunnel may live, e.g. as long as a login is valid (ms; 0 = none)
     * @default 0
     */
    maxAge?: number | false
    /**
     * How many tunnels to each backend there may be (0 = no limit); more get 503
     * @default 0
     */
    maxPerBackend?: number
    /**
     * Load of a tunnel for policies that compare load, where a request in flight has 1 (0–1)
     * @default 0.1
     */
    weight?: number
  } | boolean
  /**
   * Most requests in progress at once in this process, all its balancers together; more get 503 at once. Default: two
   * fifths of `ulimit -n`, since each request needs two sockets
   */
  maxExchanges?: number
  /**
   * A client that reads its response, or sends a body of known length, more slowly than this is disconnected (bytes per
   * second, averaged over `timeouts.idle`; 0 = no limit)
   * @default 240
   */
  minClientRate?: number
  /**
   * Age, ± 10 %, at which clients are asked to open a new connection: over HTTP/2 by GOAWAY, over HTTP/1.1 by
   * `connection: close` in the next response. Spreads clients that keep connections over instances and cores. Concerns
   * all connections of the server; of several balancers, the smallest counts (ms; 0 = none)
   * @default 0
   */
  maxConnectionAge?: number | false
  /**
   * How long requests on such a connection may still go on; then it is cut off (ms; 0 = none)
   * @default 0
   */
  maxConnectionAgeGrace?: number | false
  /**
   * Panic mode: when the healthy share of backends falls below this (0–1), health is ignored and all are tried, except
   * drained ones; 0 = only when none is healthy, `false` = never
   * @default 0
   */
  panicThreshold?: number | false
  /**
   * How long a new or recovered backend takes to ramp up from 10 % of its share to all of it (ms; 0 = none)
   * @default 0
   */
  slowStart?: number | false
  /**
   * How long requests may go on when their backend is drained or removed, or when the app closes; then they are aborted
   * (ms; 0 = none)
   * @default 30000
   */
  drainDeadline?: number | false
  /** Headers that tell backends where a request comes from; `false` = none */
  forwarded?: {
    /**
     * Send `X-Forwarded-For`, `-Proto` and `-Host`. Values from a peer trusted by `trustProxy` are kept and appended
     * to; values from anybody else are removed, also with `false`
     * @default true
     */
    xForwarded?: boolean
    /**
     * Send `forwarded` (RFC 7239), by the same rule
     * @default false
     */
    forwarded?: boolean
    /**
     * Send the certificate of a client that your server has verified (`requestCert`) in `Client-Cert` and
     * `Client-Cert-Chain` (RFC 9440). Those of a peer trusted by `trustProxy` are passed on as they are, in place of
     * its own certificate; from anybody else they are removed, also with `false`
     * @default false
     */
    clientCert?: boolean
    /**
     * More headers that only a trusted peer may send, such as `true-client-ip` or `cf-connecting-ip`; from others they
     * are removed, in every spelling (`true_client_ip`)
     * @default []
     */
    also?: readonly string[]
    /**
     * Add `Via` (RFC 9110 §7.6.3) to requests and responses
     * @default false
     */
    via?: boolean
  } | boolean
  /**
   * The `Host` header that backends get: `preserve` = the client's, `backend` = the backend's own, or any other text
   * literally
   * @default 'preserve'
   */
  host?: string
  /**
   * `strict` answers 400 to paths with dot segments and to paths that a backend may read as another route of your app;
   * `as-is` forwards every path
   * @default 'strict'
   */
  paths?: 'strict' | 'as-is'
  /**
   * Name of a header, such as `x-request-id`, that carries `request.id` to backends. If a peer trusted by `trustProxy`
   * sent that header, its value is passed on instead
   * @default false
   */
  requestId?: string | false
  /**
   * Tell clients why a request failed, in the response header `x-balancer-failure`
   * @default false
   */
  failureHeader?: boolean
  /**
   * Log URLs with their query, which may hold passwords and tokens. Concerns requests of the balancer only; other
   * routes of the app are logged as your `logger` does it
   * @default false
   */
  logQuery?: boolean
  /** Changes to requests before they are sent, and to responses */
  rewrite?: {
    /**
     * Remove `prefix` from the path that backends get; not in routes of your own
     * @default false
     */
    stripPrefix?: boolean
    /**
     * Another prefix in place of `prefix` in the path that backends get, such as `/v1`; not in routes of your own.
     * `:name` as a segment is that parameter of `prefix`: with the prefix `/:tenant/api`, `/t/:tenant` makes
     * `/t/acme/x` of `/acme/api/x`
     * @default none
     */
    prefix?: string
    /**
     * `Location`, `Content-Location` and `Refresh` that name the backend's own address, or a path of its own, lead
     * clients to the same place here. Default: `true` if `prefix` is removed or replaced, or the backend has a path of
     * its own, else `false`
     */
    location?: boolean
    /**
     * Changes to the cookies that backends set. Those whose name begins with `__Host-` stay as they are: browsers would
     * refuse them
     */
    cookies?: {
      /**
       * `Path` of the backend's cookies: `true` = it changes like a path in `Location`; or prefixes and what takes
       * their place, such as `{ '/app': '/' }`. `*` is any other path; `''` leaves `Path` out
       * @default none
       */
      path?: true | Record<string, string>
      /**
       * `Domain` of the backend's cookies: one for all, or by the one that it has, such as `{ 'backend.internal':
       * 'example.com' }`. `*` is any other domain; `''` leaves `Domain` out, so that the cookie is for the client's
       * host alone
       * @default none
       */
      domain?: string | Record<string, string>
    }
    /**
     * `({ in, out }) => {}`: changes method, path and headers of the request to the backend; runs last, so what it sets
     * is sent
     * @default none
     */
    request?: RequestRewrite
    /**
     * `({ in, out }) => {}`: changes status and headers of the response to the client, and in the full lane its body
     * @default none
     */
    response?: ResponseRewrite
  }
  /**
   * Source of time, for tests
   * @default none
   */
  clock?: Clock
  /**
   * Source of random numbers, for tests: 0 ≤ x < 1
   * @default none
   */
  random?: () => number
}

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
   * How a backend is chosen: `round-robin`, `weighted`, `random`, `p2c`, `least-requests`, or a `Policy` of your own
   * @default 'round-robin'
   */
  policy?: PolicyName | { name: PolicyName } | Policy
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
     * How often to retry a request that a backend may already have processed
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
  /** Queue for requests while every backend is at `maxInFlight` */
  queue?: {
    /**
     * How many requests may wait when all backends are at `maxInFlight`; more get 503 at once
     * @default 1024
     */
    max?: number
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
     * Remove `prefix` from the path that backends get
     * @default false
     */
    stripPrefix?: boolean
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

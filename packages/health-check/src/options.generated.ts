// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { CustomProbe } from './probe/custom-probe.ts'

/** How the backends of a balancer are checked: everything optional, nested objects in part. */
export interface HealthCheckSettings {
  /**
   * Kind of probe: `http` = a request, `tcp` = only a connection (with TLS for `https://`), `grpc` = a call of
   * `grpc.health.v1.Health/Check` over HTTP/2, `none` = no probes
   * @default 'http'
   */
  type?: 'http' | 'tcp' | 'grpc' | 'none'
  /**
   * `grpc`: the service to ask about; none = the server as a whole
   * @default ''
   */
  service?: string
  /**
   * Request method
   * @default 'HEAD'
   */
  method?: string
  /**
   * Request path, with a query if needed; below the path of the backend's address, if that has one
   * @default '/'
   */
  path?: string
  /**
   * Request headers; their values are never shown or logged
   * @default {}
   */
  headers?: Record<string, string>
  /** `Host` header. Default: the backend's own address */
  host?: string
  /**
   * Probe another port of the same host, e.g. of a sidecar
   * @default none
   */
  port?: number
  /** Which responses are healthy */
  expect?: {
    /**
     * Statuses that are healthy: numbers, and ranges such as `'200-399'`. Default: 100–499, and 501 for any method but
     * `GET`
     */
    statuses?: readonly (number | string)[]
    /**
     * A string or RegExp that the first 64 KiB of the body must contain; needs `method: "GET"`
     * @default none
     */
    body?: string | RegExp
  }
  /**
   * `async ({ id, url, tags, zone }, signal) => {}`: a probe of your own; the backend is unhealthy if it throws, and
   * the error says why
   * @default none
   */
  probe?: CustomProbe
  /**
   * Time from one probe of a backend to the next (ms)
   * @default 5000
   */
  interval?: number
  /**
   * How long a probe may take: name look-up, connection, TLS and response together (ms)
   * @default 2000
   */
  timeout?: number
  /**
   * Successful probes in a row after which an unhealthy backend is healthy
   * @default 2
   */
  rise?: number
  /**
   * Failed probes in a row after which a backend is unhealthy
   * @default 3
   */
  fall?: number
  /**
   * Interval while a backend is about to change between healthy and unhealthy. Default: 1000 or `interval`, whichever
   * is shorter (ms)
   */
  fastInterval?: number
  /** Interval while it is unhealthy. Default: `interval` (ms) */
  downInterval?: number
  /**
   * Random variation of intervals, so that probes do not run in step: 0.1 = ±10 %
   * @default 0.1
   */
  jitter?: number
  /**
   * State of backends at the start: `probe` = probe them before the app listens; `up` or `down` = assume that, and do
   * not wait
   * @default 'probe'
   */
  initial?: 'probe' | 'up' | 'down'
  /**
   * When added backends get traffic: `healthy` = once a probe succeeds; `always` = at once; `all-or-nothing` = if one
   * is unhealthy, the whole change is refused
   * @default 'healthy'
   */
  admit?: 'healthy' | 'always' | 'all-or-nothing'
  /** Passive health checks: backends are ejected when client requests to them fail or are slow; `false` = off */
  outliers?: {
    /**
     * How often success rates are checked. After each good interval, the next ejection of a backend gets one step
     * shorter (ms)
     * @default 10000
     */
    interval?: number
    /** Failures in a row that eject a backend; `false` = off */
    consecutive?: {
      /**
       * Failures in a row of any kind that eject a backend. Responses 500–599 are failures, except 501 to a method
       * other than `GET`; 0 = off
       * @default 5
       */
      failures?: number
      /**
       * Responses 502, 503 or 504 in a row that eject a backend; 0 = off
       * @default 0
       */
      gateway?: number
      /**
       * Failed connects in a row that eject a backend; 0 = off
       * @default 3
       */
      unreached?: number
    } | boolean
    /** Ejects a backend whose success rate is much lower than that of the others; `false` = off */
    successRate?: {
      /**
       * A backend is ejected if its success rate is more than this many standard deviations below the mean of all
       * backends; 0 = off
       * @default 1.9
       */
      stdev?: number
      /**
       * Only if at least this many backends have enough volume
       * @default 5
       */
      minimumBackends?: number
      /**
       * Requests within one interval that count as enough volume
       * @default 100
       */
      minimumVolume?: number
    } | boolean
    /** Ejects a backend that is much slower than the others, or hangs; `false` = off */
    latency?: {
      /**
       * A backend is ejected if its p90 (time from the end of the request to the response headers) is more than this
       * many times the median p90 of the others; 0 = off
       * @default 5
       */
      factor?: number
      /**
       * And only if its p90 is at least this much above that median (ms)
       * @default 50
       */
      atLeast?: number
      /**
       * Only if at least this many backends have enough volume
       * @default 3
       */
      minimumBackends?: number
      /**
       * Responses within one to two intervals that count as enough volume
       * @default 20
       */
      minimumVolume?: number
      /**
       * A backend counts as hanging when this many requests in a row have waited longer than the limit (`factor` and
       * `atLeast`) without a response, while others respond
       * @default 3
       */
      minimumWaiting?: number
    } | boolean
    /**
     * How long a backend is ejected the first time; n times as long the nth time (ms)
     * @default 30000
     */
    ejectFor?: number
    /**
     * Longest ejection (ms)
     * @default 300000
     */
    maxEjectFor?: number
    /**
     * Random extension of ejections, so that not all come back at once: 0.1 = up to 10 %
     * @default 0.1
     */
    jitter?: number
    /**
     * At most this share of all backends is ejected or paused at once; the last healthy one never is
     * @default 0.5
     */
    maxEjected?: number
    /**
     * A successful active probe ends an ejection that it disproves, e.g. one for failed connects
     * @default true
     */
    probeLifts?: boolean
  } | boolean
  /** Pauses a backend that is overloaded and sends `Retry-After`; `false` = off */
  pressure?: {
    /**
     * Which responses with `Retry-After` pause a backend for as long as they say: `'503'`; `'429-and-503'`, for
     * backends that answer 429 when they are overloaded, as LLM servers do, rather than to one client; `false` = none.
     * A 429 is never a failure; a 503 is one unless it pauses the backend
     * @default '503'
     */
    heed?: '503' | '429-and-503' | false
    /**
     * Longest pause (ms; 0 = none)
     * @default 10000
     */
    cap?: number | false
    /**
     * Pause for a `Retry-After` that cannot be parsed, and for a 429 (with `429-and-503`) without one or with 0 (ms; 0
     * = none)
     * @default 1000
     */
    byDefault?: number | false
  } | boolean
}

/** What `register` takes: everything optional, nested objects in part. */
export interface HealthCheckOptions extends HealthCheckSettings {
  /** Name of the balancer whose backends are checked. Default: the one called `default`, or the only one */
  balancer?: string
}

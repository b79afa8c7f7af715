// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { CustomProbe } from './probe/custom-probe.ts'

/** How the backends of a balancer are checked: everything optional, nested objects in part. */
export interface HealthCheckSettings {
  /**
   * What a probe is: a request, or only a connection (with TLS, if the backend has it); `none` = no probes
   * @default 'http'
   */
  type?: 'http' | 'tcp' | 'none'
  /**
   * The method of the request
   * @default 'HEAD'
   */
  method?: string
  /**
   * Its path, with a query if need be
   * @default '/'
   */
  path?: string
  /**
   * Its headers; their values are never shown or logged
   * @default {}
   */
  headers?: Record<string, string>
  /** Its `host`; the backend's own address if none is given */
  host?: string
  /**
   * Another port of the same host, e.g. of a sidecar
   * @default none
   */
  port?: number
  /** Which answers are good */
  expect?: {
    /**
     * Statuses that are good: numbers, and ranges as `'200-399'`. If not given, 100–499, and 501 to any method but
     * `GET`
     */
    statuses?: readonly (number | string)[]
    /**
     * What the first 64 KiB of the body must hold: a string or a RegExp; needs `GET`
     * @default none
     */
    body?: string | RegExp
  }
  /**
   * `async ({ id, url, tags, zone }, signal) => {}`: a probe of your own; what it throws is why the backend is not well
   * @default none
   */
  probe?: CustomProbe
  /**
   * From one probe of a backend to the next (ms)
   * @default 5000
   */
  interval?: number
  /**
   * How long a probe may take: name, connection, TLS and answer together (ms)
   * @default 2000
   */
  timeout?: number
  /**
   * Good probes in a row that bring a backend back
   * @default 2
   */
  rise?: number
  /**
   * Bad probes in a row that take a backend out
   * @default 3
   */
  fall?: number
  /**
   * The interval while a backend is on its way from good to bad, or back; if not given, 1000 or `interval`, whichever
   * is shorter (ms)
   */
  fastInterval?: number
  /** The interval while it is out; as `interval` if not given (ms) */
  downInterval?: number
  /**
   * By which share, more or less, intervals vary, so that probes do not come in step
   * @default 0.1
   */
  jitter?: number
  /**
   * What is thought of backends at the start: `probe` asks them before the app listens; `up` and `down` do not wait
   * @default 'probe'
   */
  initial?: 'probe' | 'up' | 'down'
  /**
   * Newcomers are probed first, and get traffic once they are well (`healthy`); or at once (`always`); or one that is
   * not well refuses the whole change (`all-or-nothing`)
   * @default 'healthy'
   */
  admit?: 'healthy' | 'always' | 'all-or-nothing'
  /** Passive health checks: backends are judged by how the requests of clients fare; `false` = off */
  outliers?: {
    /**
     * How often rates are judged, and a good backend is forgiven one earlier time (ms)
     * @default 10000
     */
    interval?: number
    /** Failures in a row that eject a backend; `false` = off */
    consecutive?: {
      /**
       * Failures of any kind in a row, responses with 500–599 among them, but for 501 to other methods than `GET`; 0 =
       * off
       * @default 5
       */
      failures?: number
      /**
       * Responses with 502, 503 or 504 in a row; 0 = off
       * @default 0
       */
      gateway?: number
      /**
       * Attempts in a row that could not reach it; 0 = off
       * @default 3
       */
      unreached?: number
    } | boolean
    /** When a backend succeeds too seldom, compared with the others; `false` = off */
    successRate?: {
      /**
       * How many standard deviations below the mean of all a share of successes may lie; 0 = off
       * @default 1.9
       */
      stdev?: number
      /**
       * Not judged unless so many backends have enough volume
       * @default 5
       */
      minimumBackends?: number
      /**
       * Attempts within the interval that make enough volume
       * @default 100
       */
      minimumVolume?: number
    } | boolean
    /** When a backend is too slow, compared with the others, or hangs; `false` = off */
    latency?: {
      /**
       * How many times the median of its peers' p90 (time from the whole request to response headers) the p90 of a
       * backend may be; 0 = off
       * @default 5
       */
      factor?: number
      /**
       * And it must lie so far above that median (ms)
       * @default 50
       */
      atLeast?: number
      /**
       * Not judged unless so many backends have enough volume
       * @default 3
       */
      minimumBackends?: number
      /**
       * Responses within one to two intervals that make enough volume
       * @default 20
       */
      minimumVolume?: number
      /**
       * Requests in a row that must wait longer than the limit (`factor` and `atLeast`), while peers answer, for a
       * backend to count as hanging
       * @default 3
       */
      minimumWaiting?: number
    } | boolean
    /**
     * How long an outlier is left alone the first time; n times as long the nth time (ms)
     * @default 30000
     */
    ejectFor?: number
    /**
     * At most so long (ms)
     * @default 300000
     */
    maxEjectFor?: number
    /**
     * Up to this share is added by chance, so that not all come back at once
     * @default 0.1
     */
    jitter?: number
    /**
     * At most this share of all backends is left alone by passive checks; the last available never is
     * @default 0.5
     */
    maxEjected?: number
    /**
     * A good active probe takes back what it refutes
     * @default true
     */
    probeLifts?: boolean
  } | boolean
  /** What happens when a backend says that it has too much to do; `false` = nothing */
  pressure?: {
    /**
     * Which answers pause a backend for as long as they say: `'503'` with `retry-after`; `'429-and-503'`, if your
     * backends say 429 when they are busy, as LLM servers do, and not to one client; `false` = none. A 429 is never a
     * failure; a 503 is one unless it pauses the backend
     * @default '503'
     */
    heed?: '503' | '429-and-503' | false
    /**
     * The longest pause that is granted (ms; 0 = none)
     * @default 10000
     */
    cap?: number | false
    /**
     * The pause granted where `retry-after` cannot be read, and for a heeded 429 without one or with 0 (ms; 0 = none)
     * @default 1000
     */
    byDefault?: number | false
  } | boolean
}

/** What `register` takes: everything optional, nested objects in part. */
export interface HealthCheckOptions extends HealthCheckSettings {
  /** The name of the balancer whose backends are checked; the default or only one if not given */
  balancer?: string
}

import { canBeOff, milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

const count = (description: string, byDefault: number, minimum: number) =>
  Type.Integer({ minimum, default: byDefault, description })

/** The consecutive failures after which a backend is left alone. The defaults are Envoy's where Envoy has one. */
const ConsecutiveOptions = Type.Object(
  {
    failures: count(
      'Failures of any kind in a row, responses with 500–599 among them, but for 501 to other methods than `GET`; 0 = off',
      5,
      0,
    ),
    gateway: count('Responses with 502, 503 or 504 in a row; 0 = off', 0, 0),
    unreached: count('Attempts in a row that could not reach it; 0 = off', 3, 0),
  },
  { ...strict, default: {}, description: 'Failures in a row that eject a backend; `false` = off' },
)

/** When a backend succeeds too seldom. The defaults are Envoy's. */
const SuccessRateOptions = Type.Object(
  {
    stdev: Type.Number({
      minimum: 0,
      default: 1.9,
      description: 'How many standard deviations below the mean of all a share of successes may lie; 0 = off',
    }),
    minimumBackends: count('Not judged unless so many backends have enough volume', 5, 2),
    minimumVolume: count('Attempts within the interval that make enough volume', 100, 1),
  },
  {
    ...strict,
    default: {},
    description: 'When a backend succeeds too seldom, compared with the others; `false` = off',
  },
)

/** When a backend is too slow, or silent. */
const LatencyOptions = Type.Object(
  {
    factor: Type.Number({
      minimum: 0,
      default: 5,
      description:
        "How many times the median of its peers' p90 (time from the whole request to response headers) the p90 of a backend may be; 0 = off",
    }),
    atLeast: Type.Number({ minimum: 0, default: 50, description: 'And it must lie so far above that median (ms)' }),
    minimumBackends: count('Not judged unless so many backends have enough volume', 3, 2),
    minimumVolume: count('Responses within one to two intervals that make enough volume', 20, 1),
    minimumWaiting: count(
      'Requests in a row that must wait longer than the limit (`factor` and `atLeast`), while peers answer, for a backend to count as hanging',
      3,
      1,
    ),
  },
  {
    ...strict,
    default: {},
    description: 'When a backend is too slow, compared with the others, or hangs; `false` = off',
  },
)

/** Passive health checks: backends are judged by how the requests of clients fare. */
export const OutlierOptions = Type.Object(
  {
    interval: milliseconds('How often rates are judged, and a good backend is forgiven one earlier time', 10_000, 10),
    consecutive: canBeOff(ConsecutiveOptions, { failures: 0, gateway: 0, unreached: 0 }),
    successRate: canBeOff(SuccessRateOptions, { stdev: 0 }),
    latency: canBeOff(LatencyOptions, { factor: 0 }),
    ejectFor: milliseconds('How long an outlier is left alone the first time; n times as long the nth time', 30_000, 1),
    maxEjectFor: milliseconds('At most so long', 300_000, 1),
    jitter: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.1,
      description: 'Up to this share is added by chance, so that not all come back at once',
    }),
    maxEjected: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: 'At most this share of all backends is left alone by passive checks; the last available never is',
    }),
    probeLifts: Type.Boolean({
      default: true,
      description: 'A good active probe takes back what it refutes',
    }),
  },
  {
    ...strict,
    default: {},
    description: 'Passive health checks: backends are judged by how the requests of clients fare; `false` = off',
  },
)
/** How outliers are found, and for how long they are left alone. */
export type OutlierOptions = Static<typeof OutlierOptions>
/** The part of it that concerns shares of success. */
export type SuccessRateOptions = OutlierOptions['successRate']
/** The part of it that concerns slowness and silence. */
export type LatencyOptions = OutlierOptions['latency']

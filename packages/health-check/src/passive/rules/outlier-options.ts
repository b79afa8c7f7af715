import { canBeOff, milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

const count = (description: string, byDefault: number, minimum: number) =>
  Type.Integer({ minimum, default: byDefault, description })

/** How many failures in a row eject a backend. The defaults are Envoy's where Envoy has one. */
const ConsecutiveOptions = Type.Object(
  {
    failures: count(
      'Failures in a row of any kind that eject a backend. Responses 500–599 are failures, except 501 to a method other than `GET`; 0 = off',
      5,
      0,
    ),
    gateway: count('Responses 502, 503 or 504 in a row that eject a backend; 0 = off', 0, 0),
    unreached: count('Failed connects in a row that eject a backend; 0 = off', 3, 0),
  },
  { ...strict, default: {}, description: 'Failures in a row that eject a backend; `false` = off' },
)

/** When a success rate is too low. The defaults are Envoy's. */
const SuccessRateOptions = Type.Object(
  {
    stdev: Type.Number({
      minimum: 0,
      default: 1.9,
      description:
        'A backend is ejected if its success rate is more than this many standard deviations below the mean of all backends; 0 = off',
    }),
    minimumBackends: count('Only if at least this many backends have enough volume', 5, 2),
    minimumVolume: count('Requests within one interval that count as enough volume', 100, 1),
  },
  {
    ...strict,
    default: {},
    description: 'Ejects a backend whose success rate is much lower than that of the others; `false` = off',
  },
)

/** When a backend is too slow, or hangs. */
const LatencyOptions = Type.Object(
  {
    factor: Type.Number({
      minimum: 0,
      default: 5,
      description:
        'A backend is ejected if its p90 (time from the end of the request to the response headers) is more than this many times the median p90 of the others; 0 = off',
    }),
    atLeast: Type.Number({
      minimum: 0,
      default: 50,
      description: 'And only if its p90 is at least this much above that median (ms)',
    }),
    minimumBackends: count('Only if at least this many backends have enough volume', 3, 2),
    minimumVolume: count('Responses within one to two intervals that count as enough volume', 20, 1),
    minimumWaiting: count(
      'A backend counts as hanging when this many requests in a row have waited longer than the limit (`factor` and `atLeast`) without a response, while others respond',
      3,
      1,
    ),
  },
  {
    ...strict,
    default: {},
    description: 'Ejects a backend that is much slower than the others, or hangs; `false` = off',
  },
)

/** Passive health checks: backends are judged by the outcome of client requests. */
export const OutlierOptions = Type.Object(
  {
    interval: milliseconds(
      'How often success rates are checked. After each good interval, the next ejection of a backend gets one step shorter',
      10_000,
      10,
    ),
    consecutive: canBeOff(ConsecutiveOptions, { failures: 0, gateway: 0, unreached: 0 }),
    successRate: canBeOff(SuccessRateOptions, { stdev: 0 }),
    latency: canBeOff(LatencyOptions, { factor: 0 }),
    ejectFor: milliseconds('How long a backend is ejected the first time; n times as long the nth time', 30_000, 1),
    maxEjectFor: milliseconds('Longest ejection', 300_000, 1),
    jitter: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.1,
      description: 'Random extension of ejections, so that not all come back at once: 0.1 = up to 10 %',
    }),
    maxEjected: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: 'At most this share of all backends is ejected or paused at once; the last healthy one never is',
    }),
    probeLifts: Type.Boolean({
      default: true,
      description: 'A successful active probe ends an ejection that it disproves, e.g. one for failed connects',
    }),
  },
  {
    ...strict,
    default: {},
    description:
      'Passive health checks: backends are ejected when client requests to them fail or are slow; `false` = off',
  },
)
/** When backends are ejected, and for how long. */
export type OutlierOptions = Static<typeof OutlierOptions>
/** The part about success rates. */
export type SuccessRateOptions = OutlierOptions['successRate']
/** The part about slow and hanging backends. */
export type LatencyOptions = OutlierOptions['latency']

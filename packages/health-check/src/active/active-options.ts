import { milliseconds, type Given } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { ProbeOptions } from '../probe/probe-options.ts'

const count = { minimum: 1, maximum: 1000 } as const

/**
 * How and when backends are probed, and what follows. The one source of type, validation, defaults and the README's
 * table.
 */
export const ActiveOptions = Type.Object({
  ...ProbeOptions.properties,
  interval: milliseconds('Time from one probe of a backend to the next', 5000, 1),
  timeout: milliseconds('How long a probe may take: name look-up, connection, TLS and response together', 2000, 1),
  rise: Type.Integer({
    ...count,
    default: 2,
    description: 'Successful probes in a row after which an unhealthy backend is healthy',
  }),
  fall: Type.Integer({
    ...count,
    default: 3,
    description: 'Failed probes in a row after which a backend is unhealthy',
  }),
  fastInterval: Type.Optional(
    milliseconds(
      'Interval while a backend is about to change between healthy and unhealthy. Default: 1000 or `interval`, whichever is shorter',
      undefined,
      1,
    ),
  ),
  downInterval: Type.Optional(milliseconds('Interval while it is unhealthy. Default: `interval`', undefined, 1)),
  jitter: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.1,
    description: 'Random variation of intervals, so that probes do not run in step: 0.1 = ±10 %',
  }),
  initial: Type.Union([Type.Literal('probe'), Type.Literal('up'), Type.Literal('down')], {
    default: 'probe',
    description:
      'State of backends at the start: `probe` = probe them before the app listens; `up` or `down` = assume that, and do not wait',
  }),
  admit: Type.Union([Type.Literal('healthy'), Type.Literal('always'), Type.Literal('all-or-nothing')], {
    default: 'healthy',
    description:
      'When added backends get traffic: `healthy` = once a probe succeeds; `always` = at once; `all-or-nothing` = if one is unhealthy, the whole change is refused',
  }),
})
/** Options of active checks with every default in place. */
export type ActiveOptions = Static<typeof ActiveOptions>

/** The same as users write them: all optional. */
export type GivenActiveOptions = Given<typeof ActiveOptions>

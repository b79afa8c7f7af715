import { milliseconds, type Given } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { ProbeOptions } from '../probe/probe-options.ts'

const count = { minimum: 1, maximum: 1000 } as const

/** How backends are probed, when, and what follows. The one source of type, check, defaults and table. */
export const ActiveOptions = Type.Object({
  ...ProbeOptions.properties,
  interval: milliseconds('From one probe of a backend to the next', 5000, 1),
  timeout: milliseconds('How long a probe may take: name, connection, TLS and answer together', 2000, 1),
  rise: Type.Integer({ ...count, default: 2, description: 'Good probes in a row that bring a backend back' }),
  fall: Type.Integer({ ...count, default: 3, description: 'Bad probes in a row that take a backend out' }),
  fastInterval: Type.Optional(
    milliseconds(
      'The interval while a backend is on its way from good to bad, or back; if not given, 1000 or `interval`, whichever is shorter',
      undefined,
      1,
    ),
  ),
  downInterval: Type.Optional(milliseconds('The interval while it is out; as `interval` if not given', undefined, 1)),
  jitter: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.1,
    description: 'By which share, more or less, intervals vary, so that probes do not come in step',
  }),
  initial: Type.Union([Type.Literal('probe'), Type.Literal('up'), Type.Literal('down')], {
    default: 'probe',
    description:
      'What is thought of backends at the start: `probe` asks them before the app listens; `up` and `down` do not wait',
  }),
  admit: Type.Union([Type.Literal('healthy'), Type.Literal('always'), Type.Literal('all-or-nothing')], {
    default: 'healthy',
    description:
      'Newcomers are probed first, and get traffic once they are well (`healthy`); or at once (`always`); or one that is not well refuses the whole change (`all-or-nothing`)',
  }),
})
/** What is decided about active checks, with every default in place. */
export type ActiveOptions = Static<typeof ActiveOptions>

/** The same, as users write it. */
export type GivenActiveOptions = Given<typeof ActiveOptions>

import { Type, type Static } from '@sinclair/typebox'
import { ProcessView } from '../schemas/views.ts'

const latency = Type.Union(
  [
    Type.Object({
      p50: Type.Number(),
      p95: Type.Number(),
      p99: Type.Number(),
    }),
    Type.Null(),
  ],
  { description: 'Nearest ranks, in ms; null when there was nothing to measure' },
)

const counts = {
  requests: Type.Integer({ description: 'Ended meanwhile' }),
  failed: Type.Integer({ description: 'Of those, with a status of 500 or more, or broken by no fault of the client' }),
  latency,
}

/** What went through one balancer since the last time: told once a second, only to those who ask for it by name. */
export const FiguresEvent = Type.Object({
  type: Type.Literal('figures'),
  balancer: Type.String({ description: 'The name of the balancer' }),
  at: Type.Number({ description: 'When, in ms since the epoch' }),
  seconds: Type.Number({ description: 'The time that the counts are of' }),
  ...counts,
  retries: Type.Integer({ description: 'Attempts after the first of their request' }),
  exchanges: Type.Integer({ description: 'On their way through, now' }),
  waiting: Type.Integer({ description: 'Of those, in the queue for a backend' }),
  backends: Type.Array(Type.Object({ id: Type.String(), ...counts, inFlight: Type.Integer({ description: 'Now' }) }), {
    description: 'Here requests are attempts, and latency is the time to response headers',
  }),
  process: Type.Optional(ProcessView),
})
/** What went through one balancer since the last time. */
export type FiguresEvent = Static<typeof FiguresEvent>

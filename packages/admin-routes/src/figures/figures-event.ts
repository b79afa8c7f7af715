import { Type, type Static } from '@sinclair/typebox'
import { ResponseCounts } from '../schemas/status-classes.ts'
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
  { description: 'Percentiles (nearest rank), in ms; null without samples' },
)

const counts = {
  requests: Type.Integer({
    description: 'Requests that ended in this period; a request for a tunnel ends with its handshake',
  }),
  failed: Type.Integer({ description: 'Of those, with status 500 or above, or broken off, but not by the client' }),
  responses: ResponseCounts,
  latency,
}

/** The traffic of one balancer since the last event of this type. Sent once a second, only with `?type=figures`. */
export const FiguresEvent = Type.Object({
  type: Type.Literal('figures'),
  balancer: Type.String({ description: 'Name of the balancer' }),
  at: Type.Number({ description: 'Time of the event, in ms since the epoch' }),
  seconds: Type.Number({ description: 'Length of the period' }),
  ...counts,
  retries: Type.Integer({
    description: 'Retries and failovers: attempts after the first of their request, without hedges',
  }),
  exchanges: Type.Integer({ description: 'Requests in progress now' }),
  tunnels: Type.Integer({ description: 'Of those, open tunnels' }),
  waiting: Type.Integer({ description: 'Of those, waiting in the queue for a backend' }),
  backends: Type.Array(
    Type.Object({
      id: Type.String(),
      ...counts,
      inFlight: Type.Integer({ description: 'In flight now' }),
      tunnels: Type.Integer({ description: 'Open now' }),
    }),
    {
      description: 'Per backend: `requests` counts attempts, `latency` is the time to response headers',
    },
  ),
  process: Type.Optional(ProcessView),
})
/** The traffic of one balancer since the last event of this type. */
export type FiguresEvent = Static<typeof FiguresEvent>

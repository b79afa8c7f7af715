import { Type, type Static } from '@sinclair/typebox'
import { statusClasses } from './status-classes.ts'

const counts = (description: string) => Type.Array(Type.Union([Type.Integer(), Type.Null()]), { description })
const durations = (description: string) => Type.Array(Type.Union([Type.Number(), Type.Null()]), { description })

const byClass = Object.fromEntries(statusClasses.map((one) => [one, counts(one)])) as Record<
  (typeof statusClasses)[number],
  ReturnType<typeof counts>
>
const responses = (description: string) => Type.Object(byClass, { description })
/** Counts by status class, a value for each step. */
export type ResponseColumns = Static<ReturnType<typeof responses>>

/** What has ended in each step, in columns: a value for each of `times`. */
export const HistoryView = Type.Object({
  balancer: Type.String({ description: 'Name of the balancer' }),
  instance: Type.String({ description: 'The process that measured it: name of its host and process id' }),
  at: Type.Number({
    description: 'Time of the answer (ms since the epoch): until then the last step has been measured',
  }),
  since: Type.Number({ description: 'Since when this process measures (ms since the epoch)' }),
  step: Type.Integer({ description: 'Length of a step (ms)' }),
  times: Type.Array(Type.Number(), {
    description:
      'Begin of each step (ms since the epoch), the oldest first: a multiple of `step`. The last step is unfinished. In all columns, null: not measured, since this process was not running',
  }),
  totals: Type.Object({
    requests: counts('Requests that ended; one for a tunnel ends with its handshake'),
    failed: counts('Of those, the failed ones: status 500 or above, or broken off, but not by the client'),
    retries: counts('Their retries and failovers, without hedges'),
    responses: responses('Requests by class of the status that the client got'),
    p50: durations('Percentiles of the duration of whole requests (ms), off by at most 4.4 %; null without requests'),
    p95: durations('See `p50`'),
    p99: durations('See `p50`'),
    inFlight: counts('Requests in progress at the end of the step, waiting ones included, open tunnels not'),
    waiting: counts('Of those, waiting in the queue for a backend'),
    refused: counts('Requests that the queue refused: it was full or overloaded, or they had waited too long'),
    shed: counts('Requests to this server, of whichever balancer, that were shed since the process was overloaded'),
  }),
  backends: Type.Array(
    Type.Object({
      id: Type.String(),
      attempts: counts('Attempts that ended'),
      failed: counts('Of those, with status 500 or above, or failed by fault of the backend'),
      responses: responses('Attempts by class of the status that the backend answered'),
      p95: durations(
        '95th percentile of the time to response headers (ms), off by at most 4.4 %; null without a response',
      ),
      inFlight: counts('In flight at the end of the step'),
    }),
    { description: 'Those with traffic in this range, removed ones included; empty with `backends=false`' },
  ),
})

/** A request that has failed. Durations in ms. */
export const FailureView = Type.Object({
  at: Type.Number({ description: 'When it ended, in ms since the epoch' }),
  instance: Type.Optional(Type.String({ description: 'Where it was; absent where there is only one instance' })),
  method: Type.String(),
  path: Type.String({ description: 'Without the query, at most 200 characters' }),
  status: Type.Integer({ description: 'Sent to the client; 0 if none was' }),
  grpcStatus: Type.Optional(Type.String({ description: 'Of gRPC calls: the status that the client got' })),
  outcome: Type.String({ description: '`ok` if a response with such a status was passed on whole; else the reason' }),
  blame: Type.String({
    description: 'Whose fault the outcome is: `backend`, `proxy`, or `client` if that left during a 5xx',
  }),
  took: Type.Number({ description: 'Duration of the whole request' }),
  waited: Type.Optional(
    Type.Number({ description: 'For how long it last waited in the queue; absent if it never did' }),
  ),
  attempts: Type.Array(
    Type.Object({
      backend: Type.String({ description: 'Id of the backend' }),
      outcome: Type.String({ description: '`ok`, or the reason of the failure' }),
      status: Type.Optional(Type.Integer({ description: 'Of its response, if there was one' })),
      grpcStatus: Type.Optional(Type.String()),
      took: Type.Number(),
      hedge: Type.Optional(Type.Boolean({ description: 'True if it was sent beside a slow one' })),
      error: Type.Optional(Type.String({ description: 'Of the connection, if there was one' })),
    }),
    { description: 'In order, at most 10' },
  ),
})

/** The last requests that have failed. */
export const FailuresView = Type.Object({
  failures: Type.Array(FailureView, { description: 'The newest first' }),
})

// Room `schemas`: the shapes of requests and responses: types, validation and OpenAPI in one.
import { Type, type Static } from '@sinclair/typebox'
import { CircuitView, HealthView, instances, since, who } from './health-views.ts'
import { ResponseCounts } from './status-classes.ts'

export { CircuitView, NotEjectedView, ProbeView } from './health-views.ts'

/** A veto: a reason, with an owner, not to use a backend. */
export const VetoView = Type.Object({
  by: Type.String({ description: 'Owner of the veto, e.g. `health-check` or `admin`' }),
  reason: Type.String(),
  hard: Type.Boolean({ description: 'True for orders (drain, maintenance): they hold in panic mode too' }),
  since,
  who,
  until: Type.Optional(
    Type.Number({
      description:
        'When it ends by itself, in ms since the epoch; of a drain its deadline, when requests still in flight are aborted',
    }),
  ),
  evidence: Type.Optional(Type.Unknown({ description: 'The observations behind the reason' })),
  instances,
})

/** Of one backend; the same everywhere. */
export const eligible = Type.Boolean({
  description:
    'It may be picked now: of the preferred priority and `available`, or in panic mode without a hard veto, healthy or not',
})

/** Of many backends; the same everywhere. */
export const counts = {
  backends: Type.Integer({ description: 'Number of backends' }),
  available: Type.Integer({ description: 'How many have no veto: these are healthy' }),
  eligible: Type.Integer({
    description:
      'How many may be picked now: those of `available` with the preferred priority, or in panic mode all without a hard veto',
  }),
}

const protocol = Type.Union([Type.Literal('http1'), Type.Literal('http2'), Type.Literal('h2c')], {
  description: 'HTTP/1.1, HTTP/2 over TLS, or HTTP/2 without TLS',
})

/** A backend and its current state. */
export const BackendView = Type.Object({
  id: Type.String(),
  url: Type.String(),
  addresses: Type.Optional(
    Type.Array(Type.String(), {
      description: 'IP addresses that its host name resolves to; absent if the URL has an IP address',
    }),
  ),
  protocol,
  weight: Type.Integer(),
  effectiveWeight: Type.Number({ description: 'Weight in use now: lower than `weight` during slow start' }),
  priority: Type.Integer(),
  maxInFlight: Type.Integer(),
  limit: Type.Integer({
    description: 'Most requests that may be in flight now, at most `maxInFlight` in each instance',
  }),
  zone: Type.Optional(Type.String()),
  tags: Type.Array(Type.String()),
  proxyProtocol: Type.Optional(Type.Union([Type.Literal('v1'), Type.Literal('v2')])),
  state: Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')]),
  available: Type.Boolean({ description: 'It has no veto: healthy, and not taken out by an operator' }),
  eligible,
  instances: Type.Optional(
    Type.Object(
      { all: Type.Integer(), available: Type.Integer(), eligible: Type.Integer() },
      {
        description:
          'Of several instances, how many see it so, where they do not agree; `available` and `eligible` are what most of them see',
      },
    ),
  ),
  vetoes: Type.Array(VetoView),
  connections: Type.Object(
    {
      open: Type.Integer(),
      idle: Type.Integer(),
      running: Type.Integer({ description: 'Requests on them; over HTTP/2, streams in use' }),
      allowed: Type.Integer({
        description: 'Requests that they carry at once: one each, or over HTTP/2 as many streams as the backend allows',
      }),
      waiting: Type.Integer({ description: 'Requests that wait for a connection, or for a stream' }),
    },
    { description: 'Connections for traffic, without those of probes' },
  ),
  inFlight: Type.Integer({
    description: 'Requests in flight; once its tunnel is open, a request is no longer one of them',
  }),
  tunnels: Type.Integer({ description: 'Open tunnels: connections that were upgraded, e.g. to WebSocket' }),
  oldestTunnel: Type.Optional(Type.Integer({ description: 'For how long the oldest of them has been open (ms)' })),
  requests: Type.Integer({ description: 'Attempts started so far' }),
  retries: Type.Integer({ description: 'Of those, attempts after another one of the same request, without hedges' }),
  outcomes: Type.Record(Type.String(), Type.Integer(), { description: 'Ended attempts by outcome' }),
  failed: Type.Integer({ description: 'Ended attempts with status 500 or above, or failed by fault of the backend' }),
  responses: ResponseCounts,
  bytesSent: Type.Integer({ description: 'Bytes of bodies and tunnels that were sent to it' }),
  bytesReceived: Type.Integer(),
  tunnelBytesSent: Type.Integer({ description: 'Of those, bytes of tunnels, open and closed ones' }),
  tunnelBytesReceived: Type.Integer(),
  latency: Type.Object({ average: Type.Number({ description: 'ms' }), buckets: Type.Array(Type.Integer()) }),
  circuit: Type.Optional(CircuitView),
  health: Type.Optional(HealthView),
})
/** A backend and its current state. */
export type BackendView = Static<typeof BackendView>

/** All backends of one balancer, in order. */
export const SetView = Type.Object({
  revision: Type.Integer({ description: 'Rises by one with each change of the list' }),
  backends: Type.Array(BackendView),
})

/** Requests that have ended since the start; one for a tunnel ends with its handshake. */
const TotalsView = Type.Object({
  requests: Type.Integer(),
  failed: Type.Integer({ description: 'Of those, with status 500 or above, or broken off, but not by the client' }),
  retries: Type.Integer({ description: 'Their retries and failovers, without hedges' }),
  responses: ResponseCounts,
  outcomes: Type.Record(Type.String(), Type.Integer(), { description: '`ok`, or the reason of the failure' }),
})

const summary = {
  name: Type.String(),
  policy: Type.String(),
  revision: Type.Integer(),
  panicking: Type.Boolean({
    description: 'Panic mode: too few healthy backends, so health is ignored, in at least one instance',
  }),
  closing: Type.Boolean(),
  exchanges: Type.Integer({ description: 'Requests in progress' }),
  tunnels: Type.Integer({ description: 'Of those, open tunnels' }),
  waiting: Type.Integer({ description: 'Of those, waiting in the queue for a backend' }),
  waitingByClass: Type.Optional(Type.Record(Type.String(), Type.Integer(), { description: 'By class of priority' })),
  totals: TotalsView,
  queue: Type.Object(
    {
      waiting: Type.Integer({ description: 'Requests that wait for a backend' }),
      max: Type.Integer({ description: 'How many may wait' }),
      refused: Type.Integer({
        description: 'Refused so far (503): the queue was full or overloaded, or they had waited too long',
      }),
      refusingSince: Type.Optional(
        Type.Number({
          description: 'Since when requests are being refused, in ms since the epoch; absent while none are',
        }),
      ),
    },
    { description: 'The queue for requests while every backend is at its limit' },
  ),
}

/** Load of the process, as measured by @fastify/under-pressure. */
export const ProcessView = Type.Object(
  {
    overloaded: Type.Boolean({ description: 'Proxied requests are shed (503)' }),
    eventLoopDelay: Type.Number({ description: 'ms' }),
    eventLoopUtilized: Type.Number({ description: 'From 0 to 1' }),
    heapUsed: Type.Number({ description: 'Bytes' }),
    rssBytes: Type.Number({ description: 'Bytes' }),
    shed: Type.Optional(
      Type.Integer({
        description: 'Requests that were shed so far; absent if the app registered under-pressure itself',
      }),
    ),
  },
  { description: 'Only with @fastify/under-pressure' },
)

/** All balancers of this server. */
export const BalancersView = Type.Object({
  balancers: Type.Array(
    Type.Object({
      ...summary,
      ...counts,
    }),
  ),
  process: Type.Optional(ProcessView),
})

/** One balancer and its current state. */
export const BalancerView = Type.Object({
  ...summary,
  available: counts.available,
  eligible: counts.eligible,
  drainDeadline: Type.Integer({ description: 'Deadline of a drain that is ordered without one (ms; 0 = none)' }),
  backends: Type.Array(BackendView),
  revisions: Type.Array(Type.Object({ revision: Type.Integer(), at: since, backends: Type.Integer() }), {
    description: 'Lists that can be rolled back to, the oldest first',
  }),
})

/** State of the whole server. */
export const ServerView = Type.Object({
  state: Type.Union([Type.Literal('ready'), Type.Literal('drain')]),
  closesConnections: Type.Boolean({ description: 'Responses carry `Connection: close`' }),
  closesConnectionsAt: Type.Optional(
    Type.Number({
      description: 'While draining: when responses will begin to carry it (ms since the epoch); absent once they do',
    }),
  ),
  closesApp: Type.Optional(Type.Boolean({ description: 'While draining: the app will be closed at that time' })),
  exchanges: Type.Integer({ description: 'Requests in progress, of all balancers' }),
  tunnels: Type.Integer({ description: 'Of those, open tunnels' }),
  idle: Type.Boolean({ description: 'True if there are none' }),
})

const Described = Type.Object({
  url: Type.String(),
  protocol,
  weight: Type.Integer(),
  priority: Type.Integer(),
  maxInFlight: Type.Integer(),
  zone: Type.Optional(Type.String()),
  tags: Type.Array(Type.String()),
  proxyProtocol: Type.Optional(Type.Union([Type.Literal('v1'), Type.Literal('v2')])),
})

/** What a change would do. */
export const PreviewView = Type.Object({
  added: Type.Array(Type.String()),
  removed: Type.Array(Type.String()),
  changed: Type.Array(Type.Object({ id: Type.String(), from: Described, to: Described })),
  faults: Type.Array(Type.String(), { description: 'Why it would be refused' }),
})

/** An error response. */
export const FaultView = Type.Object(
  {
    statusCode: Type.Integer(),
    code: Type.Optional(Type.String()),
    error: Type.String(),
    message: Type.String(),
    faults: Type.Optional(Type.Array(Type.String(), { description: 'Everything that is wrong with the request' })),
    current: Type.Optional(SetView),
  },
  // A hook of the app may answer with any properties; they are passed on.
  { additionalProperties: Type.Unknown() },
)

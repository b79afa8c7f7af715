// Room `schemas`: what requests and answers look like: their types, validation and OpenAPI.
import { Type, type Static } from '@sinclair/typebox'

const since = Type.Number({ description: 'In ms since the epoch' })

/** A reason, with an owner, not to use a backend. */
const VetoView = Type.Object({
  by: Type.String({ description: 'Who says so' }),
  reason: Type.String(),
  hard: Type.Boolean({ description: 'An order, which panic does not override' }),
  since,
  evidence: Type.Optional(Type.Unknown({ description: 'What the reason rests on' })),
})

/** What a probe was, and what came of it. */
export const ProbeView = Type.Object({
  good: Type.Boolean(),
  inconclusive: Type.Optional(
    Type.Union([Type.Literal('out-of-sockets'), Type.Literal('pause')], {
      description:
        'Set when the probe does not count: this process was out of sockets, or was paused. `good` is then false',
    }),
  ),
  at: since,
  sent: Type.String({ description: 'What was asked' }),
  received: Type.String({ description: 'What came of it' }),
  timings: Type.Object(
    {
      connected: Type.Optional(Type.Number()),
      responded: Type.Optional(Type.Number()),
      took: Type.Number(),
    },
    { description: 'In ms, from the beginning' },
  ),
})

/** A backend's circuit. */
export const CircuitView = Type.Object({
  backend: Type.String(),
  state: Type.String({ description: 'closed, open, half-open, or isolated: held open by hand' }),
  since,
  reason: Type.String({ description: 'The rule that decided' }),
  openings: Type.Integer({ description: 'In a row' }),
  trials: Type.Integer({ description: 'Running now' }),
  changesIn: Type.Optional(Type.Integer({ description: 'In so many ms time alone changes something' })),
})

const HealthView = Type.Object({
  state: Type.String({ description: 'up, down or unknown' }),
  since,
  consecutive: Type.Integer({ description: 'So many of the last probes had the same answer' }),
  lastProbe: Type.Optional(ProbeView),
})

/** A backend, as it is now. */
export const BackendView = Type.Object({
  id: Type.String(),
  url: Type.String(),
  addresses: Type.Optional(
    Type.Array(Type.String(), { description: 'What its name stands for now; absent for an IP address' }),
  ),
  weight: Type.Integer(),
  effectiveWeight: Type.Number({ description: 'The part of it that slow start has given it so far' }),
  priority: Type.Integer(),
  maxInFlight: Type.Integer(),
  zone: Type.Optional(Type.String()),
  tags: Type.Array(Type.String()),
  state: Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')]),
  available: Type.Boolean({ description: 'Nobody has a veto' }),
  vetoes: Type.Array(VetoView),
  inFlight: Type.Integer(),
  requests: Type.Integer({ description: 'Ever begun' }),
  outcomes: Type.Record(Type.String(), Type.Integer(), { description: 'How those that have ended did' }),
  bytesSent: Type.Integer(),
  bytesReceived: Type.Integer(),
  latency: Type.Object({ average: Type.Number({ description: 'ms' }), buckets: Type.Array(Type.Integer()) }),
  circuit: Type.Optional(CircuitView),
  health: Type.Optional(HealthView),
})
/** A backend, as it is now. */
export type BackendView = Static<typeof BackendView>

/** All backends of one balancer, in order. */
export const SetView = Type.Object({
  revision: Type.Integer({ description: 'Rises by one with each change of the list' }),
  backends: Type.Array(BackendView),
})

const summary = {
  name: Type.String(),
  policy: Type.String(),
  revision: Type.Integer(),
  panicking: Type.Boolean({ description: 'Too few backends are without a veto, so soft ones are ignored' }),
  closing: Type.Boolean(),
  exchanges: Type.Integer({ description: 'Requests on their way through' }),
  waiting: Type.Integer({ description: 'Of those, in the queue for a backend' }),
}

/** How the process is, as far as @fastify/under-pressure looks after it. */
export const ProcessView = Type.Object(
  {
    overloaded: Type.Boolean({ description: 'Proxied requests are refused for now' }),
    eventLoopDelay: Type.Number({ description: 'ms' }),
    eventLoopUtilized: Type.Number({ description: 'From 0 to 1' }),
    heapUsed: Type.Number({ description: 'Bytes' }),
    rssBytes: Type.Number({ description: 'Bytes' }),
  },
  { description: 'Only where @fastify/under-pressure is' },
)

/** All balancers of this server. */
export const BalancersView = Type.Object({
  balancers: Type.Array(
    Type.Object({
      ...summary,
      backends: Type.Integer({ description: 'So many' }),
      available: Type.Integer({ description: 'So many of them may be picked now' }),
    }),
  ),
  process: Type.Optional(ProcessView),
})

/** One balancer, as it is now. */
export const BalancerView = Type.Object({
  ...summary,
  backends: Type.Array(BackendView),
  revisions: Type.Array(Type.Object({ revision: Type.Integer(), at: since, backends: Type.Integer() }), {
    description: 'Lists that can be gone back to, the oldest first',
  }),
})

/** This server as a whole. */
export const ServerView = Type.Object({
  state: Type.Union([Type.Literal('ready'), Type.Literal('drain')]),
  closesConnections: Type.Boolean({ description: 'Answers say `Connection: close`' }),
  closesConnectionsAt: Type.Optional(
    Type.Number({
      description: 'When they will (ms since the epoch), while it drains; left out once they do',
    }),
  ),
  closesApp: Type.Optional(
    Type.Boolean({ description: 'Then, the app is closed, too; left out unless the server drains' }),
  ),
  exchanges: Type.Integer({ description: 'Requests on their way through, of all balancers' }),
  idle: Type.Boolean({ description: 'There are none' }),
})

const Described = Type.Object({
  url: Type.String(),
  weight: Type.Integer(),
  priority: Type.Integer(),
  maxInFlight: Type.Integer(),
  zone: Type.Optional(Type.String()),
  tags: Type.Array(Type.String()),
})

/** What a change would do. */
export const PreviewView = Type.Object({
  added: Type.Array(Type.String()),
  removed: Type.Array(Type.String()),
  changed: Type.Array(Type.Object({ id: Type.String(), from: Described, to: Described })),
  faults: Type.Array(Type.String(), { description: 'Why it would be refused' }),
})

/** Why a backend is, or is not, used for a request. */
export const ExplanationView = Type.Object({
  picked: Type.Union([Type.String(), Type.Null()], { description: 'null: it would wait or fail' }),
  panicking: Type.Boolean(),
  backends: Type.Array(
    Type.Object({
      id: Type.String(),
      available: Type.Boolean({
        description:
          'It may be picked now: nobody has a veto, or it is ignored in panic, and no lower priority is used',
      }),
      vetoes: Type.Array(VetoView),
      inFlight: Type.Integer(),
      maxInFlight: Type.Integer(),
      load: Type.Number(),
      weight: Type.Integer(),
      effectiveWeight: Type.Number(),
      priority: Type.Integer(),
      score: Type.Union([Type.Number(), Type.Null()], { description: 'What the policy compares; lower is better' }),
    }),
  ),
})

/** What is answered in place of what was asked for. */
export const FaultView = Type.Object(
  {
    statusCode: Type.Integer(),
    code: Type.Optional(Type.String()),
    error: Type.String(),
    message: Type.String(),
    faults: Type.Optional(Type.Array(Type.String(), { description: 'Everything that is wrong with the request' })),
    current: Type.Optional(SetView),
  },
  // What a hook of the app answers, it answers alike whether there is a route or not.
  { additionalProperties: Type.Unknown() },
)

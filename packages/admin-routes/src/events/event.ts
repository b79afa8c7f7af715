import { Type, type Static, type TProperties } from '@sinclair/typebox'
import { ReloadReport } from '../reload/reload-report.ts'
import { counts } from '../schemas/views.ts'

const base = {
  id: Type.String({ description: 'Send it back as `Last-Event-ID` to resume, at any instance' }),
  at: Type.Number({ description: 'Time of the event, in ms since the epoch' }),
  instance: Type.Optional(
    Type.String({ description: 'Id of the instance where it happened; absent where there is only one' }),
  ),
  omitted: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Properties that were left out because they were too large or not JSON',
    }),
  ),
}

const event = <Name extends string, Properties extends TProperties>(type: Name, properties: Properties) =>
  Type.Object({ ...base, type: Type.Literal(type), ...properties })

const balancer = Type.String({ description: 'Name of the balancer' })
const backend = Type.String({ description: 'Id of the backend' })
const state = Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')])
const ids = Type.Optional(Type.Array(Type.String()))

/**
 * A backend got a veto (a reason not to use it), or a veto was lifted. Vetoes that only repeat another event have none: those of
 * a circuit (`circuit`), of a drain and of maintenance (`state`, `admin`).
 */
const VetoEvent = event('veto', {
  balancer,
  backend,
  action: Type.Union([Type.Literal('laid'), Type.Literal('lifted')]),
  by: Type.String(),
  reason: Type.String(),
  hard: Type.Boolean(),
  available: Type.Boolean({ description: 'The backend is healthy now: no veto is left' }),
  since: Type.Number({ description: 'When the veto began, in ms since the epoch' }),
  until: Type.Optional(Type.Number({ description: 'When it ends by itself, in ms since the epoch' })),
  evidence: Type.Optional(Type.Unknown()),
  others: Type.Optional(
    Type.Integer({
      description:
        'Number of further backends to which the same happened at that moment; they have no event of their own',
    }),
  ),
})

/** A backend's circuit changed state. */
const CircuitEvent = event('circuit', {
  balancer,
  backend,
  state: Type.String(),
  before: Type.String(),
  reason: Type.String({ description: 'The rule that decided' }),
})

/** Panic mode began (too few healthy backends, so health is ignored), or ended. */
const PanicEvent = event('panic', {
  balancer,
  panicking: Type.Boolean(),
  ...counts,
  text: Type.String({ description: 'As in the log: `panic mode: 0 of 5 backends are healthy, all 5 are used`' }),
})

/** Requests begin to be refused, or cease to be: none was for 10 s. Without a balancer: because the process is overloaded. */
const refusals = {
  refusing: Type.Boolean({ description: 'True when it begins, false when it has ended' }),
  since: Type.Number({ description: 'When it began, in ms since the epoch' }),
  refused: Type.Integer({ description: 'Requests refused since then (503)' }),
  text: Type.String({ description: 'What happened, in one sentence, as in the log' }),
}

/** A queue is full, overloaded or too slow, so that requests are refused. */
const QueueEvent = event('queue', {
  balancer,
  ...refusals,
  reasons: Type.Record(Type.String(), Type.Integer(), {
    description: 'The same by outcome: `queue-full`, `queue-timeout`, `queue-shed`',
  }),
  waiting: Type.Integer({ description: 'Requests that wait now' }),
  max: Type.Integer({ description: 'How many may wait' }),
  eligible: counts.eligible,
  busy: Type.Integer({ description: 'How many of these are at their limit of requests in flight' }),
})

/** The process is overloaded, so that requests to the whole app are refused (`underPressure`). */
const OverloadEvent = event('overload', {
  ...refusals,
  exceeded: Type.String({
    description:
      'The limit that was exceeded last: `eventLoopDelay`, `eventLoopUtilization`, `heapUsedBytes`, `rssBytes`',
  }),
  value: Type.Number({ description: 'What was measured then: ms, a share from 0 to 1, or bytes' }),
  limit: Type.Number({ description: 'The limit, in the same unit' }),
})

/** A backend was set to drain, maintenance or ready by the app; an operator's order is an `admin` event. */
const StateEvent = event('state', {
  balancer,
  backend,
  state,
  before: state,
  who: Type.Optional(Type.String({ description: 'For whom the app did it' })),
})

/**
 * The list was changed, but not through the admin API: that is an `admin` event. `changed` lists kept ids with new settings or
 * another URL.
 */
const BackendsEvent = event('backends', {
  balancer,
  revision: Type.Integer(),
  added: ids,
  removed: ids,
  changed: ids,
})

/** A change through the admin API, or with `refused` one that was refused. */
const AdminEvent = event('admin', {
  balancer: Type.Optional(balancer),
  backend: Type.Optional(backend),
  who: Type.Optional(Type.String()),
  what: Type.String({ description: 'The action, e.g. `backend.state`' }),
  text: Type.String({
    description: 'The whole of it in one sentence, as in the log: `maria set b2: ready → drain (deadline 30 s)`',
  }),
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
  terms: Type.Optional(
    Type.Object(
      {
        deadline: Type.Optional(Type.Integer({ description: 'Deadline of a drain or removal of a backend (ms)' })),
        grace: Type.Optional(Type.Integer({ description: 'Grace period of a server drain (ms)' })),
        close: Type.Optional(Type.Boolean({ description: 'The app is closed after the drain' })),
        ttl: Type.Optional(Type.Integer({ description: 'How long a circuit is held (ms)' })),
        reason: Type.Optional(Type.String({ description: 'Why a backend is drained, or its circuit held' })),
      },
      { description: 'Parameters of the change' },
    ),
  ),
  revision: Type.Optional(Type.Integer({ description: 'Revision of the list after the change' })),
  refused: Type.Optional(
    Type.Object(
      {
        statusCode: Type.Integer(),
        code: Type.Optional(Type.String()),
        message: Type.String(),
        faults: Type.Optional(Type.Array(Type.String())),
      },
      {
        description:
          'How it was refused (400, 409, 412; 404 if a revision is not kept); with 507 the change is in force, but was not saved',
      },
    ),
  ),
})

/** The configuration was reloaded, or the reload was refused. */
const ReloadEvent = event('reload', {
  ...ReloadReport.properties,
  who: Type.Optional(Type.String({ description: 'Operator who requested it through this API' })),
})

/** Events were missed: a client that keeps state must fetch it again. */
const GapEvent = event('gap', {
  reason: Type.Union([Type.Literal('overflow'), Type.Literal('unknown-id')], {
    description:
      '`overflow`: the missed events are no longer kept; `unknown-id`: the id is of another process, e.g. before a restart',
  }),
  missed: Type.Optional(Type.Integer({ description: 'Number of missed events, of all types and balancers' })),
})

/** Any event of `GET /events`, except figures. */
export const BalancerEvent = Type.Union([
  VetoEvent,
  CircuitEvent,
  PanicEvent,
  StateEvent,
  BackendsEvent,
  AdminEvent,
  QueueEvent,
  OverloadEvent,
  ReloadEvent,
  GapEvent,
])
/** Any event of `GET /events`, except figures. */
export type BalancerEvent = Static<typeof BalancerEvent>

/** The values of `?type=`, besides `figures`. A gap is sent to every client. */
export const eventTypes = [
  'veto',
  'circuit',
  'panic',
  'state',
  'backends',
  'admin',
  'queue',
  'overload',
  'reload',
] as const

/** An event without its id. */
export type EventDraft<Kind = BalancerEvent> = Kind extends unknown ? Omit<Kind, 'id' | 'omitted'> : never

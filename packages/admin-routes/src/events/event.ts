import { Type, type Static, type TProperties } from '@sinclair/typebox'
import { ReloadReport } from '../reload/reload-report.ts'

const base = {
  id: Type.String({ description: 'Send it back as `Last-Event-ID` to resume; rises within one process' }),
  at: Type.Number({ description: 'Time of the event, in ms since the epoch' }),
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

/** A backend got a veto (a reason not to use it), or a veto was lifted. */
const VetoEvent = event('veto', {
  balancer,
  backend,
  action: Type.Union([Type.Literal('laid'), Type.Literal('lifted')]),
  by: Type.String(),
  reason: Type.String(),
  hard: Type.Boolean(),
  since: Type.Number({ description: 'When the veto began, in ms since the epoch' }),
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
  backends: Type.Integer({ description: 'Number of backends' }),
  available: Type.Integer({ description: 'Number of usable backends; in panic mode this includes unhealthy ones' }),
})

/** A backend was set to drain, maintenance or ready. */
const StateEvent = event('state', { balancer, backend, state, before: state })

/** The list was changed. `changed` lists kept ids with new settings or another URL. */
const BackendsEvent = event('backends', {
  balancer,
  revision: Type.Integer(),
  added: ids,
  removed: ids,
  changed: ids,
})

/** A change through the admin API. */
const AdminEvent = event('admin', {
  balancer: Type.Optional(balancer),
  backend: Type.Optional(backend),
  who: Type.Optional(Type.String()),
  what: Type.String({ description: 'The action, e.g. `backend.state`' }),
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
  terms: Type.Optional(
    Type.Object(
      {
        deadline: Type.Optional(Type.Integer({ description: 'Deadline of a backend drain (ms)' })),
        grace: Type.Optional(Type.Integer({ description: 'Grace period of a server drain (ms)' })),
        close: Type.Optional(Type.Boolean({ description: 'The app is closed after the drain' })),
      },
      { description: 'Parameters of the change' },
    ),
  ),
  revision: Type.Optional(Type.Integer({ description: 'Revision of the list after the change' })),
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
  ReloadEvent,
  GapEvent,
])
/** Any event of `GET /events`, except figures. */
export type BalancerEvent = Static<typeof BalancerEvent>

/** The values of `?type=`, besides `figures`. A gap is sent to every client. */
export const eventTypes = ['veto', 'circuit', 'panic', 'state', 'backends', 'admin', 'reload'] as const

/** An event without its id. */
export type EventDraft<Kind = BalancerEvent> = Kind extends unknown ? Omit<Kind, 'id' | 'omitted'> : never

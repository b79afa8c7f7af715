import { Type, type Static, type TProperties } from '@sinclair/typebox'
import { ReloadReport } from '../reload/reload-report.ts'

const base = {
  id: Type.String({ description: 'Rises within one process; what `Last-Event-ID` takes' }),
  at: Type.Number({ description: 'When, in ms since the epoch' }),
  omitted: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Properties that were left out, because they were too large or not data',
    }),
  ),
}

const event = <Name extends string, Properties extends TProperties>(type: Name, properties: Properties) =>
  Type.Object({ ...base, type: Type.Literal(type), ...properties })

const balancer = Type.String({ description: 'The name of the balancer' })
const backend = Type.String({ description: 'The id of the backend' })
const state = Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')])
const ids = Type.Optional(Type.Array(Type.String()))

/** A veto was laid on a backend, or has been lifted. */
const VetoEvent = event('veto', {
  balancer,
  backend,
  action: Type.Union([Type.Literal('laid'), Type.Literal('lifted')]),
  by: Type.String(),
  reason: Type.String(),
  hard: Type.Boolean(),
  since: Type.Number({ description: 'When it was laid, in ms since the epoch' }),
  evidence: Type.Optional(Type.Unknown()),
  others: Type.Optional(
    Type.Integer({
      description: 'At the same moment, the same happened to so many more backends, which have no event of their own',
    }),
  ),
})

/** The circuit of a backend has changed its state. */
const CircuitEvent = event('circuit', {
  balancer,
  backend,
  state: Type.String(),
  before: Type.String(),
  reason: Type.String({ description: 'The rule that decided' }),
})

/** Soft vetoes are ignored from now on, because too few backends are left; or no longer. */
const PanicEvent = event('panic', {
  balancer,
  panicking: Type.Boolean(),
  backends: Type.Integer({ description: 'How many there are' }),
  available: Type.Integer({ description: 'How many may be picked' }),
})

/** A backend is drained, in maintenance, or ready again. */
const StateEvent = event('state', { balancer, backend, state, before: state })

/** The list was changed. `changed` names those that have stayed, with other settings or at another address. */
const BackendsEvent = event('backends', {
  balancer,
  revision: Type.Integer(),
  added: ids,
  removed: ids,
  changed: ids,
})

/** Somebody has changed something through the admin API. */
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
        deadline: Type.Optional(Type.Integer({ description: 'Of a drain (ms)' })),
        grace: Type.Optional(Type.Integer({ description: 'Of the drain of the whole server (ms)' })),
        close: Type.Optional(Type.Boolean({ description: 'Then, the app is closed' })),
      },
      { description: 'What was said beside it' },
    ),
  ),
  revision: Type.Optional(Type.Integer({ description: 'Of the set, once the change was made' })),
})

/** The configuration was read again: put in force, or refused. */
const ReloadEvent = event('reload', {
  ...ReloadReport.properties,
  who: Type.Optional(Type.String({ description: 'Who asked for it through this API' })),
})

/** Sent in place of events that are gone: whoever keeps a picture of the whole has to ask for it anew. */
const GapEvent = event('gap', {
  reason: Type.Union([Type.Literal('overflow'), Type.Literal('unknown-id')], {
    description: '`unknown-id`: it is not of this process, which may have been restarted',
  }),
  missed: Type.Optional(Type.Integer({ description: 'How many, of all types and balancers' })),
})

/** Whatever `GET /events` tells. */
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
/** Whatever `GET /events` tells. */
export type BalancerEvent = Static<typeof BalancerEvent>

/** What `?type=` takes; a gap is told to everybody. */
export const eventTypes = ['veto', 'circuit', 'panic', 'state', 'backends', 'admin', 'reload'] as const

/** An event that has not been given its id. */
export type EventDraft<Kind = BalancerEvent> = Kind extends unknown ? Omit<Kind, 'id' | 'omitted'> : never

import { Type } from '@sinclair/typebox'

/** A time. */
export const since = Type.Number({ description: 'In ms since the epoch' })
/** An operator. */
export const who = Type.Optional(Type.String({ description: 'The operator who ordered it' }))

/** A number of instances. */
export const instances = Type.Optional(
  Type.Integer({ description: 'In how many instances it is so, where several do not agree' }),
)

const CertificateView = Type.Object(
  {
    subject: Type.String(),
    issuer: Type.String(),
    validFrom: Type.String(),
    validTo: Type.String(),
    names: Type.Array(Type.String(), { description: 'What it is for, e.g. `DNS:a.example`; at most 10' }),
    fingerprint: Type.String({ description: 'SHA-256' }),
  },
  { description: "The certificate that was not accepted: the backend's, or the one presented to it" },
)

/** A probe and its outcome. */
export const ProbeView = Type.Object({
  good: Type.Boolean(),
  inconclusive: Type.Optional(
    Type.Union([Type.Literal('out-of-sockets'), Type.Literal('pause')], {
      description: 'Set if the probe does not count: this process was out of sockets or paused. `good` is false then',
    }),
  ),
  at: since,
  sent: Type.String({ description: 'What was sent, e.g. `HEAD http://10.0.0.1:3000/`' }),
  received: Type.String({ description: 'What came back, e.g. `HTTP 200` or `connect ECONNREFUSED`' }),
  certificate: Type.Optional(CertificateView),
  timings: Type.Object(
    {
      connected: Type.Optional(Type.Number()),
      responded: Type.Optional(Type.Number()),
      took: Type.Number(),
    },
    { description: 'In ms from the start of the probe' },
  ),
})

/** A backend's circuit. */
export const CircuitView = Type.Object({
  backend: Type.String(),
  state: Type.String({ description: 'closed, open, half-open, or isolated (held open by an operator)' }),
  since,
  reason: Type.String({ description: 'Why it is in this state' }),
  openings: Type.Integer({ description: 'How many times in a row it has opened' }),
  trials: Type.Integer({ description: 'Trial requests running now' }),
  changesIn: Type.Optional(Type.Integer({ description: 'Time until the next timed change, e.g. to half-open (ms)' })),
  until: Type.Optional(Type.Number({ description: 'When that is, in ms since the epoch' })),
  who,
  instances,
})

/** Why an unhealthy backend is not ejected. */
export const NotEjectedView = Type.Object(
  {
    reason: Type.String({
      description:
        'In words, e.g. `5 failures in a row, but maxEjected (0.5) allows 2 of 5 backends, and 2 are out already`',
    }),
    since,
  },
  { description: 'Why it is not ejected although its requests fail or are slow; absent if it is healthy, or ejected' },
)

/** What probes and traffic say of a backend. */
export const HealthView = Type.Object({
  state: Type.String({ description: 'By probes: up, down or unknown' }),
  since,
  consecutive: Type.Integer({ description: 'How many probes in a row had the same outcome' }),
  lastProbe: Type.Optional(ProbeView),
  notEjected: Type.Optional(NotEjectedView),
})

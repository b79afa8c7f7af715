import { Type } from '@sinclair/typebox'
import { eligible, VetoView } from './views.ts'

/** What a policy tells, by name. */
const PolicyDetails = (description?: string) =>
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]), {
    ...(description !== undefined && { description }),
  })

/** Which backend a request would go to, and why. */
export const ExplanationView = Type.Object({
  picked: Type.Union([Type.String(), Type.Null()], {
    description: 'Id of the backend; null if the request would wait or fail',
  }),
  panicking: Type.Boolean(),
  instance: Type.Optional(
    Type.String({
      description: 'The instance that answers: each one chooses by itself; absent where there is only one',
    }),
  ),
  policy: PolicyDetails('The `name` of the policy, and what its choice for this request hangs on, e.g. its key'),
  backends: Type.Array(
    Type.Object({
      id: Type.String(),
      available: Type.Boolean({ description: 'It has no veto: healthy, and not taken out by an operator' }),
      eligible,
      vetoes: Type.Array(VetoView),
      inFlight: Type.Integer(),
      maxInFlight: Type.Integer(),
      limit: Type.Integer(),
      tunnels: Type.Integer(),
      load: Type.Number({ description: 'Requests in flight, recent failures, and tunnels times `upgrade.weight`' }),
      weight: Type.Integer(),
      effectiveWeight: Type.Number(),
      priority: Type.Integer(),
      score: Type.Union([Type.Number(), Type.Null()], { description: 'What the policy compares; lower is better' }),
      details: Type.Union([PolicyDetails(), Type.Null()], {
        description: 'What the score is made of, or where the policy sees the backend',
      }),
    }),
  ),
})

import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { BadRequestError, MissingPluginError } from '../errors.ts'
import { BackendParams, ConditionalHeaders, NoQuery, responses } from '../schemas/request.ts'
import { CircuitView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

const CircuitOrder = Type.Object(
  {
    state: Type.Union([Type.Literal('open'), Type.Literal('closed'), Type.Literal('auto')], {
      description: '`open` and `closed` hold the circuit in that state; `auto` releases it',
    }),
    ttl: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_147_483_647,
        description: 'How long to hold it (ms); until released if not given',
      }),
    ),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Shown as the reason' })),
  },
  strict,
)

/** `PUT /balancers/:name/backends/:id/circuit` */
export function addCircuit(scope: Scope, desk: Desk): void {
  scope.put(
    '/balancers/:name/backends/:id/circuit',
    {
      schema: {
        tags,
        operationId: 'setCircuit',
        summary: "Hold a backend's circuit open or closed, or release it",
        params: BackendParams,
        querystring: NoQuery,
        headers: ConditionalHeaders,
        body: CircuitOrder,
        response: responses(
          { 200: { ...CircuitView, description: 'The circuit' } },
          ...([400, 403, 404, 409, 412, 413, 415] as const),
        ),
      },
    },
    async (request, reply) => {
      const { name, id } = request.params
      const { backend } = desk.backend(name, id)
      const { balancer } = desk.change(request)
      const { state, ttl, reason } = request.body
      const breaker = desk.extensions.breaker(name)
      if (breaker === undefined) throw new MissingPluginError(name, 'circuit breaker')
      if (state === 'auto' && ttl !== undefined) throw new BadRequestError(['ttl: not allowed with auto'])
      const before = breaker.of(id).state
      const who = desk.audit.whoIs(request)
      const terms = { ...(ttl !== undefined && { ttl }), ...(reason !== undefined && { reason }) }
      const unconfirmed = await desk.holds.order(balancer, backend, {
        state,
        reason: reason ?? `held ${state} by ${who ?? 'an operator'}`,
        ...(ttl !== undefined && { ttl }),
        ...(who !== undefined && { who }),
      })
      desk.tellUnconfirmed(reply, unconfirmed)
      const after = breaker.of(id)
      desk.record(request, balancer, {
        what: state === 'auto' ? 'circuit.release' : 'circuit.hold',
        backend: id,
        before,
        after: after.state,
        ...(Object.keys(terms).length > 0 && { terms }),
        revision: balancer.set.revision,
      })
      return desk.views.circuit(balancer, after)
    },
  )
}

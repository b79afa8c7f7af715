import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import { carryOut } from '../changes/orders.ts'
import type { Desk } from '../desk.ts'
import { BadRequestError } from '../errors.ts'
import { BackendParams, ConditionalHeaders, deadline, NoQuery, responses } from '../schemas/request.ts'
import { BackendView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

const StateOrder = Type.Object(
  {
    state: Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')], {
      description:
        '`drain` lets requests in flight and tunnels finish until the deadline; `maintenance` aborts them at once',
    }),
    deadline,
    reason: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Why: shown with the backend, in events and in the log',
      }),
    ),
  },
  strict,
)

/** `PUT /balancers/:name/backends/:id/state` */
export function addState(scope: Scope, desk: Desk): void {
  scope.put(
    '/balancers/:name/backends/:id/state',
    {
      schema: {
        tags,
        operationId: 'setBackendState',
        summary: 'Drain a backend, put it in maintenance, or make it ready again; it stays in the list',
        params: BackendParams,
        querystring: NoQuery,
        headers: ConditionalHeaders,
        body: StateOrder,
        response: responses(
          {
            200: {
              ...BackendView,
              description: 'The backend; `inFlight` counts its unfinished requests, `tunnels` its open tunnels',
            },
          },
          ...([400, 403, 404, 412, 413, 415] as const),
        ),
      },
    },
    async (request, reply) => {
      const { name, id } = request.params
      const { backend } = desk.backend(name, id)
      const { balancer } = desk.change(request)
      const { state, deadline: within, reason } = request.body
      if (within !== undefined && state !== 'drain') throw new BadRequestError(['deadline: only allowed with drain'])
      const before = backend.state
      const who = desk.audit.whoIs(request)
      // Ordered again, e.g. with another deadline, it is still for the same reason.
      const earlier = before === state ? backend.vetoes.find(({ by }) => by === state)?.reason : undefined
      const why = reason ?? earlier ?? `ordered by ${who ?? 'an operator'}`
      const order = { reason: why, ...(who !== undefined && { who }) }
      const done = carryOut(balancer, backend, () => {
        if (state === 'maintenance') return balancer.maintain(id, order)
        if (state === 'ready' || before === 'maintenance') balancer.ready(id)
        if (state === 'ready') return undefined
        balancer
          .drain(id, { ...order, ...(within !== undefined && { deadline: within }) })
          .catch((error: unknown) => request.log.error({ err: error }, `draining backend ${id} failed`))
        return undefined
      })
      await done
      if (before !== state || within !== undefined || (reason !== undefined && state !== 'ready')) {
        const { revision } = balancer.set
        const terms = { ...(within !== undefined && { deadline: within }), ...(reason !== undefined && { reason }) }
        const change = { what: 'backend.state', backend: id, before, after: state, revision } as const
        desk.record(request, balancer, Object.keys(terms).length === 0 ? change : { ...change, terms })
      }
      // Nothing changed, but an earlier change may be unsaved.
      else desk.save(request, balancer)
      return desk.views.backend(balancer, backend, await desk.inForce(reply, balancer, { id }))
    },
  )
}

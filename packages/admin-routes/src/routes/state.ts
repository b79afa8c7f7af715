import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { BadRequestError } from '../errors.ts'
import { BackendParams, ConditionalHeaders, deadline, NoQuery, responses } from '../schemas/request.ts'
import { BackendView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

const StateOrder = Type.Object(
  {
    state: Type.Union([Type.Literal('ready'), Type.Literal('drain'), Type.Literal('maintenance')], {
      description: 'maintenance cuts at once what drain would let finish',
    }),
    deadline,
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
        summary: 'Takes a backend out of use while it stays in the list, or back in',
        params: BackendParams,
        querystring: NoQuery,
        headers: ConditionalHeaders,
        body: StateOrder,
        response: responses(
          { 200: { ...BackendView, description: 'The backend: `inFlight` is what it has left' } },
          ...([400, 403, 404, 412, 413, 415] as const),
        ),
      },
    },
    async (request) => {
      const { name, id } = request.params
      const { backend } = desk.backend(name, id)
      const { balancer } = desk.change(request)
      const { state, deadline: within } = request.body
      if (within !== undefined && state !== 'drain') throw new BadRequestError(['deadline: only drain has one'])
      const before = backend.state
      if (state === 'maintenance') await balancer.maintain(id)
      else if (state === 'ready') balancer.ready(id)
      else {
        if (before === 'maintenance') balancer.ready(id)
        balancer
          .drain(id, within === undefined ? {} : { deadline: within })
          .catch((error: unknown) => request.log.error({ err: error }, `the drain of backend '${id}' failed`))
      }
      if (before !== state || within !== undefined) {
        const { revision } = balancer.set
        const terms = within === undefined ? {} : { terms: { deadline: within } }
        desk.record(request, balancer, { what: 'backend.state', backend: id, before, after: state, ...terms, revision })
      }
      // As it was before; but that may not have been saved.
      else desk.save(request, balancer)
      return desk.views.backend(balancer, backend)
    },
  )
}

import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { UnknownBackendError } from '../errors.ts'
import { whenGone } from '../waiting/gone.ts'
import { IdleWatch } from '../waiting/idle.ts'
import { revisionsOf } from '../changes/revisions.ts'
import { BackendParams, defaultWait, responses, waiting, WaitQuery } from '../schemas/request.ts'
import { tags, type Scope } from '../scope.ts'

const IdleView = Type.Object({
  id: Type.String(),
  state: Type.String(),
  idle: Type.Boolean(),
  inFlight: Type.Integer({ description: 'Unfinished requests' }),
  tunnels: Type.Integer({ description: 'Open tunnels' }),
})

/** `GET /balancers/:name/backends/:id/wait`; also for a removed backend, until its requests and tunnels have ended. */
export function addWait(scope: Scope, desk: Desk): void {
  const watch = new IdleWatch('balancer-core:attempt:end', 'balancer-core:exchange:end')
  scope.addHook('preClose', async () => watch.close())
  scope.get(
    '/balancers/:name/backends/:id/wait',
    {
      ...waiting,
      schema: {
        tags,
        operationId: 'waitForBackend',
        summary: 'Wait until a backend has no request in flight and no tunnel, at most `timeout`',
        params: BackendParams,
        querystring: WaitQuery,
        response: responses(
          {
            200: { ...IdleView, description: 'Idle' },
            202: { ...IdleView, description: 'Not idle yet: ask again' },
          },
          400,
          404,
          503,
        ),
      },
    },
    async (request, reply) => {
      const { name, id } = request.params
      const { timeout = defaultWait } = request.query
      const balancer = desk.balancer(name)
      const backend = revisionsOf(balancer).find(id)
      if (backend === undefined) throw new UnknownBackendError(id)
      await watch.wait(
        () => backend.isIdle,
        balancer.clock,
        timeout,
        (leave) => whenGone(request, reply, leave),
      )
      const { state, isIdle: idle, inFlight, tunnels } = backend
      return reply.code(idle ? 200 : 202).send({ id, state, idle, inFlight, tunnels: tunnels.size })
    },
  )
}

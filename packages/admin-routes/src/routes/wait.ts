import type { Backend } from '@fastify-balancer/balancer-core'
import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { UnknownBackendError } from '../errors.ts'
import { summed } from '../instances/merging/sums.ts'
import { whenGone } from '../waiting/gone.ts'
import { IdleWatch, longerToAnswer } from '../waiting/idle.ts'
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

interface WaitQuestion {
  readonly balancer: string
  readonly id: string
  readonly timeout: number
}

interface Busy {
  readonly inFlight: number
  readonly tunnels: number
  /** In how many instances it is not idle. */
  readonly busy: number
}

function busyOf(backend: Backend | undefined): Busy {
  const busy = backend?.isIdle === false ? 1 : 0
  return { inFlight: backend?.inFlight ?? 0, tunnels: backend?.tunnels.size ?? 0, busy }
}

/** `GET /balancers/:name/backends/:id/wait`; also for a removed backend, until its requests and tunnels have ended. */
export function addWait(scope: Scope, desk: Desk): void {
  const watch = new IdleWatch('balancer-core:attempt:end', 'balancer-core:exchange:end')
  scope.addHook('preClose', async () => watch.close())
  const { instances } = desk
  instances.answer('wait', async ({ balancer: name, id, timeout }: WaitQuestion) => {
    const balancer = desk.balancer(name)
    const backend = revisionsOf(balancer).find(id)
    if (backend !== undefined)
      await watch.wait(
        () => backend.isIdle,
        balancer.clock,
        timeout,
        () => {},
      )
    return busyOf(backend)
  })
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
      const question: WaitQuestion = { balancer: name, id, timeout }
      const [{ answers, missing }] = await Promise.all([
        instances.ask<Busy>('wait', question, undefined, timeout + longerToAnswer),
        watch.wait(
          () => backend.isIdle,
          balancer.clock,
          timeout,
          (leave) => whenGone(request, reply, leave),
        ),
      ])
      desk.tellMissing(reply, missing)
      const { inFlight, tunnels, busy } = summed([busyOf(backend), ...answers.values()])
      const idle = busy + missing.length === 0
      return reply.code(idle ? 200 : 202).send({ id, state: backend.state, idle, inFlight, tunnels })
    },
  )
}

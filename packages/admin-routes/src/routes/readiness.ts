import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { responses } from '../schemas/request.ts'
import { FaultView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

const ReadyView = Type.Object({ ready: Type.Boolean(), reason: Type.Optional(Type.String()) })
const LiveView = Type.Object({ live: Type.Boolean() })

/** Why this server should get no requests, if it should not. One balancer that can is enough: others cannot do it better. */
function hindrance({ balancers, serverState }: Desk): string | undefined {
  if (serverState.state === 'drain') return 'draining'
  const all = [...balancers.values()]
  if (all.some(({ closing }) => closing)) return 'closing'
  return all.some(({ set }) => set.available.length > 0) ? undefined : 'no balancer has a backend that may be used'
}

/** `GET /ready`, `GET /live` */
export function addReadiness(scope: Scope, desk: Desk): void {
  scope.get(
    '/ready',
    {
      schema: {
        tags,
        operationId: 'isReady',
        summary: 'Should this server get requests?',
        response: responses({
          200: { ...ReadyView, description: 'It should' },
          // A hook may have the same to say of itself.
          503: Type.Union([ReadyView, FaultView], {
            description: 'It is draining or closing, or no balancer has a backend that may be used',
          }),
        }),
      },
    },
    async (_request, reply) => {
      const reason = hindrance(desk)
      if (reason === undefined) return { ready: true }
      return reply.code(503).send({ ready: false, reason })
    },
  )

  scope.get(
    '/live',
    {
      schema: {
        tags,
        operationId: 'isLive',
        summary: 'Does this server answer?',
        response: responses({ 200: { ...LiveView, description: 'It does' } }),
      },
    },
    async () => ({ live: true }),
  )
}

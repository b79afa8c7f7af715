import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { responses } from '../schemas/request.ts'
import { FaultView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'
import { countsOf } from '../views/views.ts'

const ReadyView = Type.Object({ ready: Type.Boolean(), reason: Type.Optional(Type.String()) })
const LiveView = Type.Object({ live: Type.Boolean() })

/** Why this server should get no requests; undefined if it should. One balancer with an eligible backend is enough. */
function hindrance({ balancers, serverState }: Desk): string | undefined {
  if (serverState.state === 'drain') return 'draining'
  const all = [...balancers.values()]
  if (all.some(({ closing }) => closing)) return 'closing'
  if (all.some(({ set }) => set.available.length > 0)) return undefined
  const sums = all.map(({ set }) => countsOf(set))
  const sum = (name: 'backends' | 'available') => sums.reduce((total, counts) => total + counts[name], 0)
  return `no backend may be picked: ${sum('available')} of ${sum('backends')} are healthy`
}

/** `GET /ready`, `GET /live` */
export function addReadiness(scope: Scope, desk: Desk): void {
  scope.get(
    '/ready',
    {
      schema: {
        tags,
        operationId: 'isReady',
        summary: 'Readiness: should this server get requests?',
        response: responses({
          200: { ...ReadyView, description: 'Ready' },
          // A hook may also answer 503.
          503: Type.Union([ReadyView, FaultView], {
            description: 'Draining, closing, or no balancer has an eligible backend',
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
        summary: 'Liveness: does this server respond?',
        response: responses({ 200: { ...LiveView, description: 'Live' } }),
      },
    },
    async () => ({ live: true }),
  )
}

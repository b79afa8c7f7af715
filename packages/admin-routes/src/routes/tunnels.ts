import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { UnknownBackendError, UnknownTunnelError } from '../errors.ts'
import { revisionsOf } from '../changes/revisions.ts'
import {
  BalancerParams,
  ConditionalHeaders,
  defaultLimit,
  NoQuery,
  responses,
  TunnelParams,
  TunnelsQuery,
} from '../schemas/request.ts'
import { TunnelsView, TunnelView } from '../schemas/tunnel-views.ts'
import { tags, type Scope } from '../scope.ts'

/** @throws UnknownBackendError, also for one that was removed and has neither requests nor tunnels any more */
function pageOf(
  balancer: Balancer,
  { backend, after = 0, limit = defaultLimit }: Static<typeof TunnelsQuery>,
): Static<typeof TunnelsView> {
  if (backend !== undefined && revisionsOf(balancer).find(backend) === undefined) throw new UnknownBackendError(backend)
  const all = [...balancer.tunnels].filter(({ purpose }) => backend === undefined || purpose.backend.id === backend)
  const rest = all.filter(({ purpose }) => Number(purpose.id) > after)
  const page = rest.slice(0, limit)
  return {
    total: all.length,
    tunnels: page.map((tunnel) => tunnel.toJSON()),
    ...(rest.length > limit && { next: page.at(-1)!.purpose.id }),
  }
}

/** `GET /balancers/:name/tunnels` */
export function addTunnelsRead(scope: Scope, desk: Desk): void {
  scope.get(
    '/balancers/:name/tunnels',
    {
      schema: {
        tags,
        operationId: 'listTunnels',
        summary: 'Open tunnels of a balancer, the oldest first, page by page; with addresses of clients',
        params: BalancerParams,
        querystring: TunnelsQuery,
        response: responses({ 200: { ...TunnelsView, description: 'A page of tunnels' } }, 400, 404),
      },
    },
    async ({ params, query }) => pageOf(desk.balancer(params.name), query),
  )
}

/** `DELETE /balancers/:name/tunnels/:id` */
export function addTunnelsWrite(scope: Scope, desk: Desk): void {
  scope.delete(
    '/balancers/:name/tunnels/:id',
    {
      schema: {
        tags,
        operationId: 'closeTunnel',
        summary: 'Close a tunnel; answers once it is closed, within 2 s',
        description:
          'A WebSocket gets a close frame 1001 behind its current frame. The client may open another tunnel.',
        params: TunnelParams,
        querystring: NoQuery,
        headers: ConditionalHeaders,
        response: responses(
          {
            200: {
              ...TunnelView,
              description: 'The closed tunnel; `closedBy` is another than `operator` if it was already closing',
            },
          },
          ...([400, 403, 404, 412] as const),
        ),
      },
    },
    async (request) => {
      const { id } = request.params
      const { balancer } = desk.change(request)
      const tunnel = balancer.tunnels.get(id)
      if (tunnel === undefined) throw new UnknownTunnelError(id)
      const closed = tunnel.shutDown('operator')
      const before = tunnel.toJSON()
      const { revision } = balancer.set
      desk.record(request, balancer, {
        what: 'tunnel.close',
        backend: before.backend,
        before,
        after: undefined,
        revision,
      })
      await closed
      return { ...tunnel.toJSON(), age: Math.round(tunnel.closedAt - tunnel.openedAt), closedBy: tunnel.closedBy! }
    },
  )
}

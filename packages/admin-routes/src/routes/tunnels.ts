import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import {
  mergedTunnels,
  ownTunnels,
  placeOfTunnel,
  tunnelView,
  type PageQuestion,
  type ToldTunnels,
} from '../instances/tunnel-pages.ts'
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

/** For how long another instance may take to close one of its tunnels (ms). */
const patience = 4000

interface CloseQuestion {
  readonly balancer: string
  readonly number: string
}

/** A tunnel that another instance has closed, or null if it has none with this number. */
type Closed = { readonly before: Static<typeof TunnelView>; readonly after: Static<typeof TunnelView> } | null

/** Closes a tunnel of this instance. `onBegin` is called before it is closed. */
async function closed(
  balancer: Balancer,
  number: string,
  onBegin: (before: Static<typeof TunnelView>) => void,
): Promise<Closed> {
  const tunnel = balancer.tunnels.get(number)
  if (tunnel === undefined) return null
  const closing = tunnel.shutDown('operator')
  const before = tunnel.toJSON()
  onBegin(before)
  await closing
  const age = Math.round(tunnel.closedAt - tunnel.openedAt)
  return { before, after: { ...tunnel.toJSON(), age, closedBy: tunnel.closedBy! } }
}

/** `GET /balancers/:name/tunnels` */
export function addTunnelsRead(scope: Scope, desk: Desk): void {
  const { instances } = desk
  const own = (question: PageQuestion) =>
    ownTunnels(desk.balancer(question.balancer), question, instances.fleet && instances.self)
  instances.answer('tunnels', own)
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
    async ({ params, query: { backend, after, limit = defaultLimit } }, reply) => {
      const balancer = desk.balancer(params.name)
      // Also one that was removed, until it has neither requests nor tunnels any more.
      if (backend !== undefined && revisionsOf(balancer).find(backend) === undefined)
        throw new UnknownBackendError(backend)
      const question: PageQuestion = { balancer: balancer.name, backend, after, limit }
      const { answers, missing } = await instances.ask<ToldTunnels>('tunnels', question)
      desk.tellMissing(reply, missing)
      return mergedTunnels([own(question), ...answers.values()], limit)
    },
  )
}

/** `DELETE /balancers/:name/tunnels/:id` */
export function addTunnelsWrite(scope: Scope, desk: Desk): void {
  const { instances } = desk
  instances.answer('close-tunnel', ({ balancer, number }: CloseQuestion) =>
    closed(desk.balancer(balancer), number, () => {}),
  )
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
      const { number, instance = instances.self } = placeOfTunnel(id)
      const { revision } = balancer.set
      const record = (before: Static<typeof TunnelView>) => {
        const { backend } = before
        desk.record(request, balancer, { what: 'tunnel.close', backend, before, after: undefined, revision })
      }
      if (instance === instances.self) {
        const own = await closed(balancer, number, record)
        if (own === null) throw new UnknownTunnelError(id)
        return tunnelView(own.after, instances.fleet && instance)
      }
      const question: CloseQuestion = { balancer: balancer.name, number }
      const { answers } = await instances.ask<Closed>('close-tunnel', question, [instance], patience)
      const theirs = answers.get(instance) ?? null
      if (theirs === null) throw new UnknownTunnelError(id)
      record(theirs.before)
      return tunnelView(theirs.after, instance)
    },
  )
}

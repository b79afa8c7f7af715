// Room `routes`: one file for each route, or for a few about the same thing.
import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { setRevision } from '../changes/if-match.ts'
import { refuseFaulty } from '../changes/preview.ts'
import { revisionsOf } from '../changes/revisions.ts'
import { BalancerParams, ChangeQuery, ConditionalHeaders, NoQuery, responses } from '../schemas/request.ts'
import { BackendView, PreviewView, SetView } from '../schemas/views.ts'
import { AddedBackend, WantedBackends } from '../schemas/wanted.ts'
import { prefixOf, tags, type Scope } from '../scope.ts'

/** `GET /balancers/:name/backends` */
export function addBackendsRead(scope: Scope, desk: Desk): void {
  scope.get(
    '/balancers/:name/backends',
    {
      schema: {
        tags,
        operationId: 'listBackends',
        summary: 'The backends of a balancer',
        params: BalancerParams,
        querystring: NoQuery,
        response: responses({ 200: { ...SetView, description: 'The list; `ETag` holds the revision' } }, 400, 404),
      },
    },
    async ({ params }, reply) => {
      const balancer = desk.balancer(params.name)
      const elsewhere = await desk.elsewhere(reply, balancer, 'all')
      return desk.views.set(balancer, balancer.set, elsewhere)
    },
  )
}

/** `PUT` and `POST /balancers/:name/backends` */
export function addBackendsWrite(scope: Scope, desk: Desk): void {
  scope.put(
    '/balancers/:name/backends',
    {
      schema: {
        tags,
        operationId: 'replaceBackends',
        summary: 'Replace the whole list; on any fault, nothing changes',
        description: 'A backend with the same id and url keeps its counters and connections.',
        params: BalancerParams,
        querystring: ChangeQuery,
        headers: ConditionalHeaders,
        body: WantedBackends,
        response: responses(
          {
            200: Type.Union([SetView, PreviewView], { description: 'The new list; with `dryRun`, what would change' }),
          },
          ...([400, 403, 404, 409, 412, 413, 415] as const),
        ),
      },
    },
    async (request, reply) => {
      const { balancer, condition } = desk.change(request)
      const { backends } = request.body
      const preview = await desk.preview(balancer, backends, true)
      if (request.query.dryRun === true) return desk.dryRun(balancer, backends, preview, condition)
      refuseFaulty(preview)
      const now = await desk.made(balancer.setBackends(backends, condition))
      desk.record(request, balancer, {
        what: 'backends.replace',
        ...revisionsOf(balancer).change(now.revision),
      })
      setRevision(reply, now.revision)
      return desk.views.set(balancer, now, await desk.inForce(reply, balancer, 'all'))
    },
  )

  scope.post(
    '/balancers/:name/backends',
    {
      schema: {
        tags,
        operationId: 'addBackend',
        summary: 'Add a backend at the end of the list',
        params: BalancerParams,
        querystring: ChangeQuery,
        headers: ConditionalHeaders,
        body: AddedBackend,
        response: responses(
          {
            200: { ...PreviewView, description: 'With `dryRun`: what would change' },
            201: { ...BackendView, description: 'The new backend; `Location` is its path, `ETag` the revision' },
          },
          ...([400, 403, 404, 409, 412, 413, 415] as const),
        ),
      },
    },
    async (request, reply) => {
      const { balancer, condition } = desk.change(request)
      const wanted = () => [...balancer.listed, request.body]
      const previewed = () => desk.previewOne(balancer, wanted(), balancer.listed.length)
      const preview = await previewed()
      if (request.query.dryRun === true) return desk.dryRun(balancer, wanted(), preview, condition)
      refuseFaulty(preview)
      const now = await desk.made(balancer.add(request.body, condition)).catch(async (error: unknown) => {
        // Another backend of that id may have been added meanwhile; preview again for the faults as data.
        if ((error as { code?: unknown }).code === 'FST_BALANCER_BAD_OPTIONS') refuseFaulty(await previewed())
        throw error
      })
      const backend = now.all.at(-1)!
      desk.record(request, balancer, {
        what: 'backend.add',
        ...revisionsOf(balancer).changeOf(backend.id, now.revision),
      })
      setRevision(reply, now.revision)
      const path = `${prefixOf(scope, request)}/balancers/${encodeURIComponent(balancer.name)}/backends/${encodeURIComponent(backend.id)}`
      const elsewhere = await desk.inForce(reply, balancer, { id: backend.id })
      return reply
        .code(201)
        .header('location', path)
        .send(desk.views.backend(balancer, backend, elsewhere))
    },
  )
}

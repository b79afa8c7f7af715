import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { described, revisionsOf } from '../revisions.ts'
import { BalancerParams, ChangeQuery, ConditionalHeaders, responses } from '../schemas/request.ts'
import { BackendView, PreviewView, SetView } from '../schemas/views.ts'
import { WantedBackend, WantedBackends } from '../schemas/wanted.ts'
import { tags, type Scope } from '../scope.ts'

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
        response: responses({ 200: { ...SetView, description: 'As they are now; `ETag` is the revision' } }, 404),
      },
    },
    async ({ params }, reply) => {
      const view = desk.views.set(desk.balancer(params.name))
      desk.tag(reply, view.revision)
      return view
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
        summary: 'Replaces the whole list, or nothing of it',
        description: 'One with the same id and url stays as it is, with its counters and connections.',
        params: BalancerParams,
        querystring: ChangeQuery,
        headers: ConditionalHeaders,
        body: WantedBackends,
        response: responses(
          { 200: Type.Union([SetView, PreviewView], { description: 'The new list; or what it would change' }) },
          ...([400, 403, 404, 409, 412, 413, 415] as const),
        ),
      },
    },
    async (request, reply) => {
      const { balancer, condition } = desk.change(request)
      const { backends } = request.body
      const preview = desk.previewGiven(balancer, backends)
      if (request.query.dryRun === true) return preview
      desk.refuseFaulty(preview)
      const now = await balancer.setBackends(backends, condition)
      desk.record(request, balancer, {
        what: 'backends.replace',
        ...revisionsOf(balancer).change(now.revision),
      })
      desk.tag(reply, now.revision)
      return desk.views.set(balancer, now)
    },
  )

  scope.post(
    '/balancers/:name/backends',
    {
      schema: {
        tags,
        operationId: 'addBackend',
        summary: 'Adds a backend at the end of the list',
        params: BalancerParams,
        querystring: ChangeQuery,
        headers: ConditionalHeaders,
        body: WantedBackend,
        response: responses(
          {
            200: { ...PreviewView, description: 'What it would change' },
            201: { ...BackendView, description: 'The backend; `Location` is where it is, `ETag` the revision' },
          },
          ...([400, 403, 404, 409, 412, 413, 415] as const),
        ),
      },
    },
    async (request, reply) => {
      const { balancer, condition } = desk.change(request)
      const listed = balancer.backends.map(described)
      const preview = desk.previewOne(balancer, [...listed, request.body], listed.length)
      if (request.query.dryRun === true) return preview
      desk.refuseFaulty(preview)
      const now = await balancer.add(request.body, condition)
      const backend = now.all.at(-1)!
      desk.record(request, balancer, {
        what: 'backend.add',
        ...revisionsOf(balancer).changeOf(backend.id, now.revision),
      })
      desk.tag(reply, now.revision)
      const { prefix } = desk.options
      const path = `${prefix}/balancers/${encodeURIComponent(balancer.name)}/backends/${encodeURIComponent(backend.id)}`
      return reply.code(201).header('location', path).send(desk.views.backend(balancer, backend))
    },
  )
}

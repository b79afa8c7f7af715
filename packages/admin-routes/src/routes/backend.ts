import { faultsOf } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { setRevision } from '../changes/if-match.ts'
import { refuseFaulty } from '../changes/preview.ts'
import { revisionsOf } from '../changes/revisions.ts'
import { BackendParams, ChangeQuery, ConditionalHeaders, NoQuery, RemovalQuery, responses } from '../schemas/request.ts'
import { BackendView, PreviewView, SetView } from '../schemas/views.ts'
import { BackendPatch, GivenPatch } from '../schemas/wanted.ts'
import { tags, type Scope } from '../scope.ts'

const path = '/balancers/:name/backends/:id'

/** `GET /balancers/:name/backends/:id` */
export function addBackendRead(scope: Scope, desk: Desk): void {
  scope.get(
    path,
    {
      schema: {
        tags,
        operationId: 'getBackend',
        summary: 'One backend',
        params: BackendParams,
        querystring: NoQuery,
        response: responses(
          { 200: { ...BackendView, description: 'The backend; `ETag` holds the revision' } },
          400,
          404,
        ),
      },
    },
    async ({ params: { name, id } }, reply) => {
      const { balancer, backend } = desk.backend(name, id)
      return desk.views.backend(balancer, backend, await desk.elsewhere(reply, balancer, { id }))
    },
  )
}

/** The patchable properties of a patch; not `url`, for example. */
function known(patch: BackendPatch): BackendPatch {
  return Object.fromEntries(Object.entries(patch).filter(([name]) => Object.hasOwn(BackendPatch.properties, name)))
}

/** `PATCH` and `DELETE /balancers/:name/backends/:id` */
export function addBackendWrite(scope: Scope, desk: Desk): void {
  scope.patch(
    path,
    {
      schema: {
        tags,
        operationId: 'updateBackend',
        summary: 'Change weight, priority, maxInFlight, zone or tags of a backend',
        params: BackendParams,
        querystring: ChangeQuery,
        headers: ConditionalHeaders,
        body: GivenPatch,
        response: responses(
          {
            200: Type.Union([BackendView, PreviewView], {
              description: 'The backend; with `dryRun`, what would change',
            }),
          },
          ...([400, 403, 404, 409, 412, 413, 415] as const),
        ),
      },
    },
    async (request, reply) => {
      const { name, id } = request.params
      desk.backend(name, id)
      const { balancer, condition } = desk.change(request)
      const { listed } = balancer
      const index = listed.findIndex((one) => one.id === id)
      const patched = listed.with(index, { ...listed[index]!, ...known(request.body) })
      const { faults, ...rest } = await desk.previewOne(balancer, patched, index)
      const preview = { ...rest, faults: [...new Set([...faultsOf(BackendPatch, request.body), ...faults])] }
      if (request.query.dryRun === true) return desk.dryRun(balancer, patched, preview, condition)
      refuseFaulty(preview)
      const now = await desk.made(balancer.update(id, request.body, condition))
      desk.record(request, balancer, { what: 'backend.update', ...revisionsOf(balancer).changeOf(id, now.revision) })
      setRevision(reply, now.revision)
      const backend = now.all.find((one) => one.id === id)!
      return desk.views.backend(balancer, backend, await desk.inForce(reply, balancer, { id }))
    },
  )

  scope.delete(
    path,
    {
      schema: {
        tags,
        operationId: 'removeBackend',
        summary: 'Remove a backend; its requests in flight may finish until the deadline',
        params: BackendParams,
        querystring: RemovalQuery,
        headers: ConditionalHeaders,
        response: responses(
          {
            200: Type.Union([SetView, PreviewView], { description: 'The new list; with `dryRun`, what would change' }),
          },
          ...([400, 403, 404, 409, 412] as const),
        ),
      },
    },
    async (request, reply) => {
      const { name, id } = request.params
      desk.backend(name, id)
      const { balancer, condition } = desk.change(request)
      if (request.query.dryRun === true) {
        const rest = balancer.listed.filter((one) => one.id !== id)
        return desk.dryRun(balancer, rest, await desk.preview(balancer, rest), condition)
      }
      const { deadline } = request.query
      const now = await desk.made(balancer.remove(id, { ...condition, ...(deadline !== undefined && { deadline }) }))
      const terms = deadline === undefined ? {} : { terms: { deadline } }
      const change = revisionsOf(balancer).changeOf(id, now.revision)
      desk.record(request, balancer, { what: 'backend.remove', ...change, ...terms })
      setRevision(reply, now.revision)
      return desk.views.set(balancer, now, await desk.inForce(reply, balancer, 'all'))
    },
  )
}

import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { UnknownRevisionError } from '../errors.ts'
import { setRevision } from '../changes/if-match.ts'
import { refuseFaulty } from '../changes/preview.ts'
import { revisionsOf, type Revision } from '../changes/revisions.ts'
import { BalancerParams, ChangeQuery, ConditionalHeaders, responses } from '../schemas/request.ts'
import { PreviewView, SetView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

interface RevisionQuestion {
  readonly balancer: string
  readonly revision: number
}

/** `POST /balancers/:name/rollback` */
export function addRollback(scope: Scope, desk: Desk): void {
  const { instances } = desk
  instances.answer(
    'revision',
    ({ balancer, revision }: RevisionQuestion) => revisionsOf(desk.balancer(balancer)).toldAt(revision) ?? null,
  )
  /** An instance that has started later does not have all of them. */
  const foundElsewhere = async (balancer: string, revision: number): Promise<Revision | undefined> => {
    const question: RevisionQuestion = { balancer, revision }
    const { answers } = await instances.ask<Revision | null>('revision', question)
    return [...answers.values()].find((one) => one !== null)
  }
  scope.post(
    '/balancers/:name/rollback',
    {
      schema: {
        tags,
        operationId: 'rollBack',
        summary: 'Restore the list of an earlier revision, as a new revision',
        params: BalancerParams,
        querystring: ChangeQuery,
        headers: ConditionalHeaders,
        body: Type.Object({ revision: Type.Integer({ description: 'One of `revisions` of the balancer' }) }, strict),
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
      const revisions = revisionsOf(balancer)
      const { revision } = request.body
      const earlier = revisions.at(revision) ?? (await foundElsewhere(balancer.name, revision))
      if (earlier === undefined)
        throw new UnknownRevisionError(revision, revisions.kept.map((one) => one.revision).join(', '))
      const preview = await desk.preview(balancer, earlier.backends)
      if (request.query.dryRun === true) return desk.dryRun(balancer, earlier.backends, preview, condition)
      refuseFaulty(preview)
      const now = await desk.made(balancer.setBackends(earlier.backends, condition))
      desk.record(request, balancer, { what: 'backends.rollback', ...revisions.change(now.revision) })
      setRevision(reply, now.revision)
      return desk.views.set(balancer, now, await desk.inForce(reply, balancer, 'all'))
    },
  )
}

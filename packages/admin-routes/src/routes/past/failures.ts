import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { Desk } from '../../desk.ts'
import { mostFailures } from '../../history/failed-requests.ts'
import { FailuresView } from '../../schemas/past-views.ts'
import { BalancerParams, responses } from '../../schemas/request.ts'
import { tags, type Scope } from '../../scope.ts'

const defaultLimit = 20

const FailuresQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: mostFailures, default: defaultLimit, description: 'Most of them' }),
    ),
  },
  strict,
)

interface FailuresQuestion {
  readonly balancer: string
  readonly limit: number
}

type Failures = Static<typeof FailuresView>['failures']

/** `GET /balancers/:name/failures` */
export function addFailures(scope: Scope, desk: Desk): void {
  const { instances, past } = desk
  const latest = (name: string, limit: number) => past.failures(desk.balancer(name)).slice(0, limit)
  instances.answer('failures', ({ balancer, limit }: FailuresQuestion) =>
    past.isHandedOver ? [] : latest(balancer, limit),
  )
  scope.get(
    '/balancers/:name/failures',
    {
      schema: {
        tags,
        operationId: 'listFailures',
        summary: 'The last requests that have failed, with their attempts',
        description: `Of each balancer, each instance keeps the last ${mostFailures}.`,
        params: BalancerParams,
        querystring: FailuresQuery,
        response: responses({ 200: { ...FailuresView, description: 'Failed requests, the newest first' } }, 400, 404),
      },
    },
    async ({ params, query: { limit = defaultLimit } }, reply) => {
      const balancer = desk.balancer(params.name)
      const own = latest(balancer.name, limit)
      const question: FailuresQuestion = { balancer: balancer.name, limit }
      const { answers, missing } = await instances.ask<Failures>('failures', question)
      desk.tellMissing(reply, missing)
      const failures = [...own, ...[...answers.values()].flat()]
      return { failures: failures.toSorted((one, other) => other.at - one.at).slice(0, limit) }
    },
  )
}

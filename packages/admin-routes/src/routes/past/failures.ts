import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
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

/** `GET /balancers/:name/failures` */
export function addFailures(scope: Scope, desk: Desk): void {
  scope.get(
    '/balancers/:name/failures',
    {
      schema: {
        tags,
        operationId: 'listFailures',
        summary: 'The last requests that have failed, with their attempts',
        description: `Of each balancer, the last ${mostFailures} are kept.`,
        params: BalancerParams,
        querystring: FailuresQuery,
        response: responses({ 200: { ...FailuresView, description: 'Failed requests, the newest first' } }, 400, 404),
      },
    },
    async ({ params, query: { limit = defaultLimit } }) => ({
      failures: [...desk.history.of(desk.balancer(params.name)).failures.latest(limit)],
    }),
  )
}

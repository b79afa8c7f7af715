import type { Desk } from '../desk.ts'
import { BalancerParams, NoQuery, responses } from '../schemas/request.ts'
import { BalancersView, BalancerView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

/** `GET /balancers`, `GET /balancers/:name` */
export function addBalancers(scope: Scope, desk: Desk): void {
  scope.get(
    '/balancers',
    {
      schema: {
        tags,
        operationId: 'listBalancers',
        summary: 'All balancers of this server',
        querystring: NoQuery,
        response: responses({ 200: { ...BalancersView, description: 'All balancers' } }, 400),
      },
    },
    async () => desk.views.balancers(desk.balancers.values()),
  )

  scope.get(
    '/balancers/:name',
    {
      schema: {
        tags,
        operationId: 'getBalancer',
        summary: 'One balancer, its backends, and the revisions available for rollback',
        params: BalancerParams,
        querystring: NoQuery,
        response: responses(
          { 200: { ...BalancerView, description: 'The balancer; `ETag` holds the revision' } },
          400,
          404,
        ),
      },
    },
    async ({ params }) => desk.views.balancer(desk.balancer(params.name)),
  )
}

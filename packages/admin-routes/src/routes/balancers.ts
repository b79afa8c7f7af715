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
        response: responses({ 200: { ...BalancersView, description: 'All of them' } }, 400),
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
        summary: 'One balancer, and the revisions that can be gone back to',
        params: BalancerParams,
        querystring: NoQuery,
        response: responses(
          { 200: { ...BalancerView, description: 'As it is now; `ETag` is the revision' } },
          400,
          404,
        ),
      },
    },
    async ({ params }) => desk.views.balancer(desk.balancer(params.name)),
  )
}

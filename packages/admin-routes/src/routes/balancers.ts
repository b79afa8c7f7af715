import type { Desk } from '../desk.ts'
import { ConfigurationView } from '../schemas/configuration.ts'
import { BalancerParams, NoQuery, responses } from '../schemas/request.ts'
import { BalancersView, BalancerView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'
import { configurationOf } from '../views/configuration.ts'

/** `GET /balancers`, `GET /balancers/:name`, `GET /balancers/:name/config` */
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
    async (_request, reply) =>
      desk.views.balancers(desk.balancers.values(), await desk.allElsewhere(reply, { backends: 'none' })),
  )

  scope.get(
    '/balancers/:name',
    {
      schema: {
        tags,
        operationId: 'getBalancer',
        summary: 'One balancer, its backends, and the revisions that can be rolled back to',
        params: BalancerParams,
        querystring: NoQuery,
        response: responses(
          { 200: { ...BalancerView, description: 'The balancer; `ETag` holds the revision' } },
          400,
          404,
        ),
      },
    },
    async ({ params }, reply) => {
      const balancer = desk.balancer(params.name)
      return desk.views.balancer(balancer, await desk.elsewhere(reply, balancer, 'all'))
    },
  )

  scope.get(
    '/balancers/:name/config',
    {
      schema: {
        tags,
        operationId: 'getConfiguration',
        summary: 'The options in force of a balancer and its extensions, with defaults and without secrets',
        params: BalancerParams,
        querystring: NoQuery,
        response: responses({ 200: { ...ConfigurationView, description: 'The options' } }, 400, 404),
      },
    },
    async ({ params }) => configurationOf(desk.balancer(params.name), desk.extensions),
  )
}

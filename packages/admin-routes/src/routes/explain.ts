import { strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { BalancerParams, NoQuery, responses } from '../schemas/request.ts'
import { ExplanationView } from '../schemas/explanation.ts'
import { tags, type Scope } from '../scope.ts'

const DescribedRequest = Type.Object(
  {
    method: Type.Optional(Type.String({ minLength: 1, maxLength: 64, default: 'GET' })),
    url: Type.Optional(Type.String({ minLength: 1, default: '/' })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]), {
        description: 'Header names in any letter case',
      }),
    ),
    address: Type.Optional(Type.String({ description: "The client's IP address" })),
    body: Type.Optional(Type.String({ description: 'The body, where the policy looks at it' })),
  },
  strict,
)

/** `POST /balancers/:name/explain` */
export function addExplain(scope: Scope, desk: Desk): void {
  scope.post(
    '/balancers/:name/explain',
    {
      // The body is optional.
      preValidation(request, _reply, done) {
        request.body ??= {}
        done()
      },
      schema: {
        tags,
        operationId: 'explain',
        summary: 'Explain which backend a request would go to, and why; sends and changes nothing',
        params: BalancerParams,
        querystring: NoQuery,
        body: DescribedRequest,
        response: responses(
          { 200: { ...ExplanationView, description: 'Every backend, and the id of the one that would be picked' } },
          ...([400, 403, 404, 413, 415] as const),
        ),
      },
    },
    async ({ params, body: { method = 'GET', url = '/', headers = {}, address, body } }) => {
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
      const further = {
        ...(address !== undefined && { address }),
        ...(body !== undefined && { body: Buffer.from(body) }),
      }
      const explained = desk.balancer(params.name).explain({ method, url, headers: lower, ...further })
      const { fleet } = desk.instances
      return desk.views.explanation(fleet === undefined ? explained : { ...explained, instance: fleet.id })
    },
  )
}

import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { NoQuery, responses } from '../schemas/request.ts'
import { tags, type Scope } from '../scope.ts'

const OperatorView = Type.Object({
  who: Type.Optional(Type.String({ description: 'As the audit would name whoever asks' })),
})

/** `GET /operator`: a page asks it what it may offer, before somebody tries. */
export function addOperator(scope: Scope, desk: Desk): void {
  scope.get(
    '/operator',
    {
      schema: {
        tags,
        operationId: 'isOperator',
        summary: 'May whoever asks change something? Its hooks answer as they would if it were tried',
        querystring: NoQuery,
        response: responses({ 200: { ...OperatorView, description: 'Yes' } }, 400),
      },
    },
    async (request) => {
      const who = desk.audit.whoIs(request)
      return who === undefined ? {} : { who }
    },
  )
}

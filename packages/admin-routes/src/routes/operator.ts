import { Type } from '@sinclair/typebox'
import type { Desk } from '../desk.ts'
import { NoQuery, responses } from '../schemas/request.ts'
import { tags, type Scope } from '../scope.ts'

const OperatorView = Type.Object({
  who: Type.Optional(Type.String({ description: 'Name of the operator, as in the audit log' })),
})

/** `GET /operator`: lets a page find out whether its user may make changes, before offering any. */
export function addOperator(scope: Scope, desk: Desk): void {
  scope.get(
    '/operator',
    {
      schema: {
        tags,
        operationId: 'isOperator',
        summary: 'Check for the role `operate`: answers as a change would, but changes nothing',
        querystring: NoQuery,
        response: responses({ 200: { ...OperatorView, description: 'Changes are allowed' } }, 400),
      },
    },
    async (request) => {
      const who = desk.audit.whoIs(request)
      return who === undefined ? {} : { who }
    },
  )
}

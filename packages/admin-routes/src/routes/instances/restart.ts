import type { Static } from '@sinclair/typebox'
import type { Desk } from '../../desk.ts'
import { NoRestartError, RestartRefusedError } from '../../errors.ts'
import { RestartReport } from '../../schemas/restart.ts'
import { NoQuery, responses } from '../../schemas/request.ts'
import { tags, type Scope } from '../../scope.ts'

/** `POST /server/restart` */
export function addRestart(scope: Scope, desk: Desk): void {
  scope.post(
    '/server/restart',
    {
      schema: {
        tags,
        operationId: 'restartServer',
        summary: 'Replace all worker processes one after the other, without losing a request',
        description:
          'Each new worker is ready before an old one stops to accept connections. It needs a parent process: `workers`.',
        querystring: NoQuery,
        response: responses(
          { 200: { ...RestartReport, description: 'What was done' } },
          ...([400, 403, 409, 413, 415] as const),
        ),
      },
    },
    async (request): Promise<Static<typeof RestartReport>> => {
      const { restart } = desk.options
      if (restart === undefined) throw new NoRestartError()
      const report = await restart({ who: desk.audit.whoIs(request) })
      if (report.faults.length > 0) throw new RestartRefusedError(report.faults)
      desk.audit.recordOfServer(request, { what: 'server.restart', before: undefined, after: report.summary })
      return report
    },
  )
}

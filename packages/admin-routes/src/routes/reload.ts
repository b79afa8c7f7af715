import type { Desk } from '../desk.ts'
import { ReloadRefusedError } from '../errors.ts'
import { ReloadReport } from '../reload/reload-report.ts'
import { ChangeQuery, responses } from '../schemas/request.ts'
import { tags, type Scope } from '../scope.ts'

/** `POST /reload`, where there is a configuration that can be read again. */
export function addReload(scope: Scope, desk: Desk): void {
  const { reload } = desk.options
  if (reload === undefined) return
  scope.post(
    '/reload',
    {
      schema: {
        tags,
        operationId: 'reload',
        summary: 'Reads the configuration file again, and puts all of it in force or nothing',
        description:
          'Its lists of backends replace those that were changed through this API; orders such as drain stay. What cannot change before the next start is named in `cannot`.',
        querystring: ChangeQuery,
        response: responses(
          { 200: { ...ReloadReport, description: 'What was changed; or would be' } },
          ...([400, 403, 409, 413, 415] as const),
        ),
      },
    },
    async (request) => {
      const { dryRun = false, force = false } = request.query
      const report = await reload({ dryRun, force, who: desk.audit.whoIs(request) })
      if (!dryRun && report.faults.length > 0) throw new ReloadRefusedError(report.faults)
      if (report.applied) await desk.followReload()
      return report
    },
  )
}

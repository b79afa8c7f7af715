import type { Desk } from '../desk.ts'
import { ReloadRefusedError } from '../errors.ts'
import { ReloadReport } from '../reload/reload-report.ts'
import { ChangeQuery, responses } from '../schemas/request.ts'
import { tags, type Scope } from '../scope.ts'

/** `POST /reload`, if the option `reload` is given. */
export function addReload(scope: Scope, desk: Desk): void {
  const { reload } = desk.options
  if (reload === undefined) return
  scope.post(
    '/reload',
    {
      schema: {
        tags,
        operationId: 'reload',
        summary: 'Reload the configuration file: all of it is applied, or nothing',
        description:
          'Its lists of backends replace lists changed through this API; orders such as drain stay. `cannot` names options that only change at the next start.',
        querystring: ChangeQuery,
        response: responses(
          { 200: { ...ReloadReport, description: 'What was changed; with `dryRun`, what would change' } },
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

import type { Desk } from '../desk.ts'
import { MissingPluginError } from '../errors.ts'
import { BackendParams, NoQuery, responses } from '../schemas/request.ts'
import { ProbeView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

/** `POST /balancers/:name/backends/:id/probe` */
export function addProbe(scope: Scope, desk: Desk): void {
  scope.post(
    '/balancers/:name/backends/:id/probe',
    {
      schema: {
        tags,
        operationId: 'probeBackend',
        summary: 'Asks a backend at once whether it is well; the answer counts like any other probe',
        params: BackendParams,
        querystring: NoQuery,
        response: responses(
          {
            200: {
              ...ProbeView,
              description: 'What came of it: good, bad, or nothing that can be held against the backend',
            },
          },
          ...([400, 403, 404, 409] as const),
        ),
      },
    },
    async (request, reply) => {
      const { name, id } = request.params
      const { balancer } = desk.backend(name, id)
      const prober = desk.extensions.prober(name)
      if (prober === undefined) throw new MissingPluginError(name, 'health check')
      const before = prober.of(id).active?.state
      const report = await prober.probe(id)
      desk.record(request, balancer, {
        what: 'backend.probe',
        backend: id,
        before,
        after: report.inconclusive === undefined ? (report.good ? 'good' : 'bad') : 'inconclusive',
        revision: balancer.set.revision,
      })
      return reply.send(report)
    },
  )
}

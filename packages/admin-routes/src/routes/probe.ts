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
        summary: 'Probe a backend now; counts like any other health check probe',
        params: BackendParams,
        querystring: NoQuery,
        response: responses(
          {
            200: {
              ...ProbeView,
              description: 'The probe: good, bad, or inconclusive (then it does not count)',
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

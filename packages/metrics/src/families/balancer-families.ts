import type { FamilyOptions } from './family.ts'
import { requestOutcomes, requestReasons } from './foreseen.ts'
import { PerBalancer } from './per-balancer.ts'
import type { Sources } from './sources.ts'
import { callLines, statusLines, sumOf } from './status.ts'

/** The metrics of the requests of whole balancers, with the label `balancer`. */
export function balancerFamilies(sources: Sources): readonly FamilyOptions[] {
  const per = new PerBalancer(sources)
  return [
    per.several(
      'counter',
      'fastify_balancer_requests_total',
      'Ended requests by outcome and by status class sent to the client; one that opens a tunnel ends then',
      function* requests({ failures, totals }) {
        for (const [outcome, foreseen] of requestOutcomes(failures))
          for (const [labels, value] of statusLines(totals.outcomes[outcome], foreseen))
            yield [{ outcome, ...labels }, value]
      },
    ),
    per.several(
      'counter',
      'fastify_balancer_failures_total',
      'Failed requests by reason and by blame (client, backend, proxy)',
      ({ failures, totals }) =>
        requestReasons(failures).map((reason) => [
          { reason, blame: failures[reason].blame },
          sumOf(totals.outcomes[reason]),
        ]),
    ),
    per.single(
      'counter',
      'fastify_balancer_failed_requests_total',
      "Requests that failed for their clients, and not by the clients' fault: answered 500-599, or broken off",
      ({ totals }) => totals.failed,
    ),
    per.several(
      'counter',
      'fastify_balancer_grpc_calls_total',
      'Ended gRPC calls by the gRPC status that clients got',
      (_balancer, { calls }) => callLines(calls),
    ),
    per.single(
      'counter',
      'fastify_balancer_retries_total',
      'Retries and failovers: attempts after the first, of ended requests; without hedges',
      ({ totals }) => totals.retries,
    ),
    per.single(
      'counter',
      'fastify_balancer_hedges_total',
      'Hedges: attempts sent beside a slow one, of ended requests',
      (_balancer, { hedges }) => hedges,
    ),
    per.single(
      'counter',
      'fastify_balancer_hedges_won_total',
      'Hedges whose response came first',
      (_balancer, { hedgesWon }) => hedgesWon,
    ),
    per.histogram(
      'fastify_balancer_request_duration_seconds',
      'Time from the start of a request until the client had the whole response or a tunnel, or had left',
      ({ duration }) => duration,
    ),
    per.histogram(
      'fastify_balancer_tunnel_duration_seconds',
      'For how long closed tunnels had been open',
      ({ tunnelDuration }) => tunnelDuration,
    ),
    per.single(
      'gauge sum',
      'fastify_balancer_requests_in_flight',
      'Requests in progress, without open tunnels',
      ({ exchanges, tunnels }) => exchanges - tunnels.size,
    ),
  ]
}

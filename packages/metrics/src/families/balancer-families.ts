import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Distribution } from '../traffic/distribution.ts'
import { samplesOf, type FamilyOptions, type Sample } from './family.ts'
import type { Sources } from './sources.ts'
import { callSamples, statusSamples } from './status.ts'
import type { Traffic } from '../traffic/traffic.ts'

type Reader<Answer> = (balancer: Balancer, traffic: Traffic) => Answer

/** The metrics of whole balancers, with the label `balancer`. */
export function balancerFamilies(sources: Sources): readonly FamilyOptions[] {
  function* each(read: Reader<Iterable<Sample>>): Generator<Sample> {
    for (const balancer of sources.balancers) yield* read(balancer, sources.trafficOf(balancer))
  }
  const single = (type: 'counter' | 'gauge', name: string, help: string, read: Reader<number>): FamilyOptions => ({
    type,
    name,
    help,
    read: () => each((balancer, traffic) => [{ labels: { balancer: balancer.name }, value: read(balancer, traffic) }]),
  })
  const histogram = (name: string, help: string, choose: (traffic: Traffic) => Distribution): FamilyOptions => ({
    type: 'histogram',
    name,
    help,
    read: () => each((balancer, traffic) => samplesOf(name, { balancer: balancer.name }, choose(traffic))),
  })
  return [
    {
      type: 'counter',
      name: 'fastify_balancer_requests_total',
      help: 'Ended requests by outcome and by status class sent to the client; one that opens a tunnel ends then',
      read: () =>
        each(function* requests({ name }, traffic) {
          for (const [outcome, statuses] of traffic.requests)
            yield* statusSamples({ balancer: name, outcome }, statuses)
        }),
    },
    {
      type: 'counter',
      name: 'fastify_balancer_failures_total',
      help: 'Failed requests by reason and by blame (client, backend, proxy)',
      read: () =>
        each(function* failed({ name, failures }, traffic) {
          for (const [outcome, statuses] of traffic.requests) {
            if (outcome === 'ok') continue
            const value = statuses.reduce((sum, count) => sum + count, 0)
            yield { labels: { balancer: name, reason: outcome, blame: failures[outcome].blame }, value }
          }
        }),
    },
    {
      type: 'counter',
      name: 'fastify_balancer_grpc_calls_total',
      help: 'Ended gRPC calls by the gRPC status that clients got',
      read: () =>
        each(function* calls({ name }, traffic) {
          yield* callSamples({ balancer: name }, traffic.calls)
        }),
    },
    single(
      'counter',
      'fastify_balancer_retries_total',
      'Retries and failovers: attempts after the first, of ended requests; without hedges',
      (_balancer, { retries }) => retries,
    ),
    single(
      'counter',
      'fastify_balancer_hedges_total',
      'Hedges: attempts sent beside a slow one, of ended requests',
      (_balancer, { hedges }) => hedges,
    ),
    single(
      'counter',
      'fastify_balancer_hedges_won_total',
      'Hedges whose response came first',
      (_balancer, { hedgesWon }) => hedgesWon,
    ),
    histogram(
      'fastify_balancer_request_duration_seconds',
      'Time from the start of a request until the client had the whole response or a tunnel, or had left',
      ({ duration }) => duration,
    ),
    histogram(
      'fastify_balancer_queue_wait_seconds',
      'Time that a request waited for a free backend; almost 0 for most',
      ({ queueWait }) => queueWait,
    ),
    histogram(
      'fastify_balancer_tunnel_duration_seconds',
      'For how long closed tunnels had been open',
      ({ tunnelDuration }) => tunnelDuration,
    ),
    single(
      'gauge',
      'fastify_balancer_requests_in_flight',
      'Requests in progress, without open tunnels',
      ({ exchanges, tunnels }) => exchanges - tunnels.size,
    ),
    single('gauge', 'fastify_balancer_queue_depth', 'Requests waiting for a free backend', ({ queue }) => queue.length),
    single(
      'gauge',
      'fastify_balancer_panic',
      '1 in panic mode: too few healthy backends, so health is ignored',
      ({ set }) => Number(set.panicking),
    ),
    single('gauge', 'fastify_balancer_revision', 'Revision of the list of backends', ({ set }) => set.revision),
  ]
}

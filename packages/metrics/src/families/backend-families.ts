import type { Backend, Balancer, FailureReason, Outcome, TunnelEnd } from '@fastify-balancer/balancer-core'
import type { BackendTraffic } from '../traffic/traffic.ts'
import { partsOf, samplesOf, type FamilyOptions, type Kind, type Labels, type Sample } from './family.ts'
import { noTunnelEnds, responsePlaces, usualOutcomes } from './foreseen.ts'
import type { Line } from './per-balancer.ts'
import type { Sources } from './sources.ts'
import { callLines, statusLines } from './status.ts'

const states = ['ready', 'drain', 'maintenance'] as const

function outcomesOf({ outcomes }: Backend, foresees: boolean): [Outcome, number][] {
  return Object.entries(foresees ? { ...usualOutcomes, ...outcomes } : outcomes) as [Outcome, number][]
}

function isFailure(entry: [Outcome, number]): entry is [FailureReason, number] {
  return entry[0] !== 'ok' && entry[0] !== 'hedge-lost'
}

/** The metrics of each backend in the set, with the labels `balancer` and `backend`. A removed backend disappears from them. */
export function backendFamilies(sources: Sources): readonly FamilyOptions[] {
  /** `foresees`: counters have lines before anything has happened. */
  type Reader<Answer> = (
    backend: Backend,
    traffic: BackendTraffic,
    balancer: Balancer,
    foresees: boolean,
  ) => Iterable<Answer>
  function* each(read: (labels: Labels, ...of: Parameters<Reader<Sample>>) => Iterable<Sample>): Generator<Sample> {
    const { foresees } = sources
    for (const balancer of sources.balancers) {
      const traffic = sources.trafficOf(balancer)
      for (const backend of balancer.backends) {
        yield* read(
          { balancer: balancer.name, backend: backend.id },
          backend,
          traffic.seen(backend),
          balancer,
          foresees,
        )
      }
    }
  }
  const several = (kind: Kind, name: string, help: string, read: Reader<Line>): FamilyOptions => ({
    ...partsOf(kind),
    name,
    help,
    read: () =>
      each(function* samples(labels, ...of) {
        for (const [further, value] of read(...of)) yield { labels: { ...labels, ...further }, value }
      }),
  })
  const single = (kind: Kind, name: string, help: string, read: (backend: Backend) => number): FamilyOptions => ({
    ...partsOf(kind),
    name,
    help,
    read: () => each((labels, backend) => [{ labels, value: read(backend) }]),
  })
  const latency = 'fastify_balancer_backend_response_seconds'

  return [
    several(
      'counter',
      'fastify_balancer_attempts_total',
      'Ended attempts by outcome',
      (backend, _traffic, _balancer, foresees) =>
        outcomesOf(backend, foresees).map(([outcome, value]) => [{ outcome }, value]),
    ),
    several(
      'counter',
      'fastify_balancer_attempt_failures_total',
      'Failed attempts by reason and by blame (client, backend, proxy); without hedge-lost, which is no failure',
      (backend, _traffic, { failures }, foresees) =>
        outcomesOf(backend, foresees)
          .filter(isFailure)
          .map(([reason, value]) => [{ reason, blame: failures[reason].blame }, value]),
    ),
    single(
      'counter',
      'fastify_balancer_failed_attempts_total',
      "Attempts that failed by the backend's fault, or with a status of 500-599",
      ({ failed }) => failed,
    ),
    single(
      'counter',
      'fastify_balancer_backend_retries_total',
      'Attempts that followed another one of the same request, without hedges',
      ({ retries }) => retries,
    ),
    several(
      'counter',
      'fastify_balancer_responses_total',
      'Responses of the backend by status class',
      ({ responses }, _traffic, _balancer, foresees) => statusLines(responses, foresees ? responsePlaces : []),
    ),
    several(
      'counter',
      'fastify_balancer_grpc_responses_total',
      'Responses of the backend to gRPC calls by gRPC status',
      (_backend, { calls }) => callLines(calls),
    ),
    {
      type: 'histogram',
      name: latency,
      help: 'Time from the start of an attempt to its response headers',
      read: () => each((labels, _backend, traffic) => samplesOf(latency, labels, traffic.latency)),
    },
    single(
      'counter',
      'fastify_balancer_backend_sent_bytes_total',
      'Bytes of request bodies and tunnels sent',
      ({ bytesSent }) => bytesSent,
    ),
    single(
      'counter',
      'fastify_balancer_backend_received_bytes_total',
      'Bytes of response bodies and tunnels received',
      ({ bytesReceived }) => bytesReceived,
    ),
    single(
      'gauge sum',
      'fastify_balancer_tunnels',
      'Open tunnels (upgraded connections)',
      ({ tunnels }) => tunnels.size,
    ),
    several(
      'counter',
      'fastify_balancer_tunnels_closed_total',
      'Closed tunnels by who closed them, or why',
      ({ tunnels }, { tunnelEnds }) =>
        // From its first tunnel on: most backends never have any.
        tunnels.size + tunnelEnds.size === 0
          ? []
          : Object.entries(noTunnelEnds).map(([end, none]) => [
              { closed_by: end },
              tunnelEnds.get(end as TunnelEnd) ?? none,
            ]),
    ),
    single(
      'counter',
      'fastify_balancer_tunnel_sent_bytes_total',
      'Bytes that tunnels passed to the backend',
      ({ tunnelBytesSent }) => tunnelBytesSent,
    ),
    single(
      'counter',
      'fastify_balancer_tunnel_received_bytes_total',
      'Bytes that tunnels passed from the backend',
      ({ tunnelBytesReceived }) => tunnelBytesReceived,
    ),
    single('gauge sum', 'fastify_balancer_backend_in_flight', 'Attempts in flight', ({ inFlight }) => inFlight),
    single(
      'gauge max',
      'fastify_balancer_backend_max_in_flight',
      'Most attempts that may be in flight',
      ({ maxInFlight }) => maxInFlight,
    ),
    single(
      'gauge sum',
      'fastify_balancer_backend_limit',
      'Most attempts that may be in flight now, lower with an adaptive limit',
      ({ limit }) => limit,
    ),
    single('gauge max', 'fastify_balancer_backend_weight', 'Configured weight of the backend', ({ weight }) => weight),
    single(
      'gauge min',
      'fastify_balancer_backend_effective_weight',
      'Weight in use, lower than the configured one during slow start',
      ({ effectiveWeight }) => effectiveWeight,
    ),
    single(
      'gauge min',
      'fastify_balancer_backend_up',
      '1 if the backend has no veto (it is healthy, and neither draining nor in maintenance)',
      ({ available }) => Number(available),
    ),
    several('gauge max', 'fastify_balancer_backend_vetoes', 'Vetoes on the backend by owner', ({ vetoes }) => {
      const counts = new Map<string, number>()
      for (const { by } of vetoes) counts.set(by, (counts.get(by) ?? 0) + 1)
      return [...counts].map(([by, value]) => [{ by }, value])
    }),
    several(
      'gauge max',
      'fastify_balancer_backend_state',
      '1 for the state set by operators (ready, drain, maintenance)',
      (backend) => states.map((state) => [{ state }, Number(backend.state === state)]),
    ),
    single(
      'gauge sum',
      'fastify_balancer_pool_connections',
      'Open connections, including idle ones',
      ({ pool }) => pool.stats.connected,
    ),
    single('gauge sum', 'fastify_balancer_pool_free_connections', 'Idle connections', ({ pool }) => pool.stats.free),
    single(
      'gauge sum',
      'fastify_balancer_pool_pending_requests',
      'Attempts waiting for their connection to open',
      ({ pool }) => pool.stats.pending,
    ),
    single(
      'gauge sum',
      'fastify_balancer_pool_running_requests',
      'Attempts that have a connection; over HTTP/2, streams in use',
      ({ connections }) => connections.running,
    ),
    single(
      'gauge sum',
      'fastify_balancer_pool_allowed_requests',
      'Attempts that the open connections carry at once: one each, or over HTTP/2 as many streams as the backend allows',
      ({ connections }) => connections.allowed,
    ),
  ]
}

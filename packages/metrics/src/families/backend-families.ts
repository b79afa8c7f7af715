import type { Backend, Balancer, Outcome } from '@fastify-balancer/balancer-core'
import { samplesOf, type FamilyOptions, type Labels, type Sample } from './family.ts'
import type { Sources } from './sources.ts'
import { statusSamples } from './status.ts'
import type { BackendTraffic } from '../traffic/traffic.ts'

const states = ['ready', 'drain', 'maintenance'] as const

const outcomesOf = ({ outcomes }: Backend) => Object.entries(outcomes) as [Outcome, number][]

/** The metrics of each backend in the set. Each has the labels `balancer` and `backend`; who leaves the set, leaves here. */
export function backendFamilies(sources: Sources): readonly FamilyOptions[] {
  type Reader = (labels: Labels, backend: Backend, traffic: BackendTraffic, balancer: Balancer) => Iterable<Sample>
  function* each(read: Reader): Generator<Sample> {
    for (const balancer of sources.balancers) {
      const traffic = sources.trafficOf(balancer)
      for (const backend of balancer.backends) {
        yield* read({ balancer: balancer.name, backend: backend.id }, backend, traffic.seen(backend), balancer)
      }
    }
  }
  const family = (type: FamilyOptions['type'], name: string, help: string, read: Reader): FamilyOptions => ({
    type,
    name,
    help,
    read: () => each(read),
  })
  const single = (type: 'counter' | 'gauge', name: string, help: string, read: (backend: Backend) => number) =>
    family(type, name, help, (labels, backend) => [{ labels, value: read(backend) }])
  const latency = 'fastify_balancer_backend_response_seconds'

  return [
    family('counter', 'fastify_balancer_attempts_total', 'Attempts that have ended, by how', (labels, backend) =>
      outcomesOf(backend).map(([outcome, value]) => ({ labels: { ...labels, outcome }, value })),
    ),
    family(
      'counter',
      'fastify_balancer_attempt_failures_total',
      'Attempts that have failed, by the reason, and by whose fault it was',
      (labels, backend, _traffic, { failures }) =>
        outcomesOf(backend).flatMap(([reason, value]) =>
          reason === 'ok' ? [] : [{ labels: { ...labels, reason, blame: failures[reason].blame }, value }],
        ),
    ),
    family(
      'counter',
      'fastify_balancer_responses_total',
      'Responses whose headers have arrived, by the class of their status',
      (labels, _backend, { statuses }) => statusSamples(labels, statuses),
    ),
    family(
      'histogram',
      latency,
      'From the beginning of an attempt until its response headers',
      (labels, _backend, traffic) => samplesOf(latency, labels, traffic.latency),
    ),
    single(
      'counter',
      'fastify_balancer_backend_sent_bytes_total',
      'Bytes of request bodies sent',
      ({ bytesSent }) => bytesSent,
    ),
    single(
      'counter',
      'fastify_balancer_backend_received_bytes_total',
      'Bytes of response bodies received',
      ({ bytesReceived }) => bytesReceived,
    ),
    single(
      'gauge',
      'fastify_balancer_backend_in_flight',
      'Attempts that have begun and not ended',
      ({ inFlight }) => inFlight,
    ),
    single(
      'gauge',
      'fastify_balancer_backend_max_in_flight',
      'Attempts at once, at most',
      ({ maxInFlight }) => maxInFlight,
    ),
    single('gauge', 'fastify_balancer_backend_weight', 'Its weight', ({ weight }) => weight),
    single(
      'gauge',
      'fastify_balancer_backend_effective_weight',
      'What of its weight it has, while it starts slowly',
      ({ effectiveWeight }) => effectiveWeight,
    ),
    single('gauge', 'fastify_balancer_backend_up', '1 if there is no veto', ({ available }) => Number(available)),
    family('gauge', 'fastify_balancer_backend_vetoes', 'Vetoes that hold, by their owner', (labels, { vetoes }) => {
      const counts = new Map<string, number>()
      for (const { by } of vetoes) counts.set(by, (counts.get(by) ?? 0) + 1)
      return [...counts].map(([by, value]) => ({ labels: { ...labels, by }, value }))
    }),
    family(
      'gauge',
      'fastify_balancer_backend_state',
      '1 for the state that operators have put it in',
      (labels, backend) =>
        states.map((state) => ({ labels: { ...labels, state }, value: Number(backend.state === state) })),
    ),
    single(
      'gauge',
      'fastify_balancer_pool_connections',
      'Open connections, idle ones too',
      ({ pool }) => pool.stats.connected,
    ),
    single(
      'gauge',
      'fastify_balancer_pool_free_connections',
      'Open connections without a request',
      ({ pool }) => pool.stats.free,
    ),
    single(
      'gauge',
      'fastify_balancer_pool_pending_requests',
      'Attempts that wait for their connection to open',
      ({ pool }) => pool.stats.pending,
    ),
  ]
}

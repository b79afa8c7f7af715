import type { FailureReason } from '@fastify-balancer/balancer-core'
import type { FamilyOptions } from './family.ts'
import { PerBalancer } from './per-balancer.ts'
import type { Sources } from './sources.ts'
import { sumOf } from './status.ts'

/** Why a request leaves the queue, or does not enter it, with 503. */
const refusals: readonly FailureReason[] = ['queue-full', 'queue-shed', 'queue-timeout']

/** The queues of balancers, with the label `balancer`; and the load that the whole server sheds. */
export function queueFamilies(sources: Sources): readonly FamilyOptions[] {
  const per = new PerBalancer(sources)
  return [
    per.single(
      'gauge sum',
      'fastify_balancer_queue_depth',
      'Requests waiting for a free backend',
      ({ queue }) => queue.length,
    ),
    per.single('gauge sum', 'fastify_balancer_queue_limit', 'How many requests may wait', ({ queue }) => queue.max),
    per.several(
      'gauge sum',
      'fastify_balancer_queue_class_depth',
      'Requests waiting for a free backend by class of priority',
      function* waiting({ queue }) {
        for (const [priority, value] of Object.entries(queue.byClass ?? {})) yield [{ class: priority }, value]
      },
    ),
    per.several(
      'counter',
      'fastify_balancer_queue_refusals_total',
      'Requests that got 503 because the queue was full, or because they had waited too long, by reason',
      ({ totals }) => refusals.map((reason) => [{ reason }, sumOf(totals.outcomes[reason])]),
    ),
    per.histogram(
      'fastify_balancer_queue_wait_seconds',
      'Time that a request waited for a free backend; almost 0 for most',
      ({ queueWait }) => queueWait,
    ),
    {
      type: 'counter',
      name: 'fastify_balancer_shed_requests_total',
      help: 'Requests that got 503 because this process was overloaded, before any balancer had them',
      read: () => (sources.shed === undefined ? [] : [{ labels: {}, value: sources.shed }]),
    },
  ]
}

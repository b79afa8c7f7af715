import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Distribution } from '../traffic/distribution.ts'
import { samplesOf, type FamilyOptions, type Sample } from './family.ts'
import type { Sources } from './sources.ts'
import { statusSamples } from './status.ts'
import type { Traffic } from '../traffic/traffic.ts'

type Reader<Answer> = (balancer: Balancer, traffic: Traffic) => Answer

/** The metrics of balancers as a whole. Each has the label `balancer`. */
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
      help: 'Requests that have ended, by how, and by the class of the status that the client was sent',
      read: () =>
        each(function* requests({ name }, traffic) {
          for (const [outcome, statuses] of traffic.requests)
            yield* statusSamples({ balancer: name, outcome }, statuses)
        }),
    },
    {
      type: 'counter',
      name: 'fastify_balancer_failures_total',
      help: 'Requests that have failed, by the reason, and by whose fault it was',
      read: () =>
        each(function* failed({ name, failures }, traffic) {
          for (const [outcome, statuses] of traffic.requests) {
            if (outcome === 'ok') continue
            const value = statuses.reduce((sum, count) => sum + count, 0)
            yield { labels: { balancer: name, reason: outcome, blame: failures[outcome].blame }, value }
          }
        }),
    },
    single(
      'counter',
      'fastify_balancer_retries_total',
      'Attempts after the first of their request, of requests that have ended',
      (_balancer, { retries }) => retries,
    ),
    histogram(
      'fastify_balancer_request_duration_seconds',
      'From the beginning of a request until the client had everything, or had gone',
      ({ duration }) => duration,
    ),
    histogram(
      'fastify_balancer_queue_wait_seconds',
      'How long a request waited for a backend to become free; nearly 0 for most',
      ({ queueWait }) => queueWait,
    ),
    single(
      'gauge',
      'fastify_balancer_requests_in_flight',
      'Requests that have begun and not ended',
      ({ exchanges }) => exchanges,
    ),
    single(
      'gauge',
      'fastify_balancer_queue_depth',
      'Requests that wait for a backend to become free',
      ({ queue }) => queue.length,
    ),
    single(
      'gauge',
      'fastify_balancer_panic',
      '1 while soft vetoes are ignored, as too few backends are without one',
      ({ set }) => Number(set.panicking),
    ),
    single('gauge', 'fastify_balancer_revision', 'The revision of the set of backends', ({ set }) => set.revision),
  ]
}

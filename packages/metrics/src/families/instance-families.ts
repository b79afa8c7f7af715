import type { FamilyOptions } from './family.ts'

/** The revision of one balancer in one instance. */
export interface InstanceRevision {
  readonly instance: string
  readonly balancer: string
  readonly revision: number
}

/** What is known of the instances of a fleet. */
export interface InstanceCounts {
  /** How many are in each state. */
  readonly states: ReadonlyMap<string, number>
  /** How many there should be: as the youngest one that is ready was told; undefined if nobody was. */
  readonly wanted: number | undefined
  /** How many have not answered when they were asked last. */
  readonly missing: number
  /** Of those that have answered. */
  readonly revisions: readonly InstanceRevision[]
}

/**
 * The label that names an instance. Not `instance`: Prometheus gives that one to every series, and would rename ours to
 * `exported_instance`.
 */
export const instanceLabel = 'fleet_instance'

/** The instances that act as one, if there are several: told by the one that is asked. */
export function instanceFamilies(counts: InstanceCounts | undefined): readonly FamilyOptions[] {
  return [
    {
      type: 'gauge',
      aggregator: 'first',
      name: 'fastify_balancer_instances',
      help: 'Instances that act as one, by state (starting, ready, draining)',
      read: () => Array.from(counts?.states ?? [], ([state, value]) => ({ labels: { state }, value })),
    },
    {
      type: 'gauge',
      aggregator: 'first',
      name: 'fastify_balancer_instances_wanted',
      help: 'Instances that there should be, where a parent process keeps them',
      read: () => (counts?.wanted === undefined ? [] : [{ labels: {}, value: counts.wanted }]),
    },
    {
      type: 'gauge',
      aggregator: 'first',
      name: 'fastify_balancer_instances_missing',
      help: 'Instances that have not answered this scrape in time: their gauges are missing, and of their counters the newest values',
      read: () => (counts === undefined ? [] : [{ labels: {}, value: counts.missing }]),
    },
    {
      type: 'gauge',
      aggregator: 'first',
      name: 'fastify_balancer_instance_revision',
      help: 'Revision of the list of backends in one instance',
      read: () =>
        (counts?.revisions ?? []).map(({ instance, balancer, revision }) => ({
          labels: { [instanceLabel]: instance, balancer },
          value: revision,
        })),
    },
  ]
}

import type { FamilyOptions, Sample } from './family.ts'
import type { Health, Sources } from './sources.ts'

const circuitStates = ['closed', 'open', 'half-open', 'isolated']

type Probe = NonNullable<NonNullable<ReturnType<Health['toJSON']>[number]['active']>['lastProbe']>

/** The state of each backend's circuit and probes, if those plugins are registered. */
export function checkFamilies(sources: Sources): readonly FamilyOptions[] {
  function* circuits(): Generator<Sample> {
    for (const balancer of sources.balancers) {
      for (const { backend, state } of sources.circuitsOf(balancer)?.views ?? []) {
        for (const one of circuitStates) {
          yield { labels: { balancer: balancer.name, backend, state: one }, value: Number(one === state) }
        }
      }
    }
  }
  function* probes(read: (probe: Probe) => number): Generator<Sample> {
    for (const balancer of sources.balancers) {
      for (const { id, active } of sources.healthOf(balancer)?.toJSON() ?? []) {
        const probe = active?.lastProbe
        if (probe !== undefined) yield { labels: { balancer: balancer.name, backend: id }, value: read(probe) }
      }
    }
  }
  return [
    {
      type: 'gauge',
      name: 'fastify_balancer_backend_circuit',
      help: "1 for the state of the backend's circuit",
      read: circuits,
    },
    {
      type: 'gauge',
      name: 'fastify_balancer_probe_good',
      help: '1 if the last probe of the backend was good',
      read: () => probes(({ good }) => Number(good)),
    },
    {
      type: 'gauge',
      name: 'fastify_balancer_probe_duration_seconds',
      help: 'Duration of the last probe of the backend',
      read: () => probes(({ timings }) => timings.took / 1000),
    },
  ]
}

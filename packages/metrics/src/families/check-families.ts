import type { FamilyOptions, Sample } from './family.ts'
import type { Health, Sources } from './sources.ts'

const circuitStates = ['closed', 'open', 'half-open', 'isolated']

type Probe = NonNullable<NonNullable<ReturnType<Health['of']>['active']>['lastProbe']>

/** Undefined for one that has left meanwhile, or of which nothing is known. */
function known<View>(of: () => View): View | undefined {
  try {
    return of()
  } catch {
    return undefined
  }
}

/** The state of each backend's circuit and probes, if those plugins are registered. */
export function checkFamilies(sources: Sources): readonly FamilyOptions[] {
  function* states(): Generator<Sample> {
    for (const balancer of sources.balancers) {
      const circuits = sources.circuitsOf(balancer)
      // One after the other: thousands of views at once would hold up everybody.
      for (const { id: backend } of circuits === undefined ? [] : balancer.backends) {
        const circuit = known(() => circuits!.of(backend))
        for (const one of circuit === undefined ? [] : circuitStates) {
          yield { labels: { balancer: balancer.name, backend, state: one }, value: Number(one === circuit!.state) }
        }
      }
    }
  }
  function* probes(read: (probe: Probe) => number): Generator<Sample> {
    for (const balancer of sources.balancers) {
      const health = sources.healthOf(balancer)
      for (const { id } of health === undefined ? [] : balancer.backends) {
        const probe = known(() => health!.of(id))?.active?.lastProbe
        if (probe !== undefined) yield { labels: { balancer: balancer.name, backend: id }, value: read(probe) }
      }
    }
  }
  return [
    {
      type: 'gauge',
      name: 'fastify_balancer_backend_circuit',
      help: "1 for the state of the backend's circuit",
      read: states,
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

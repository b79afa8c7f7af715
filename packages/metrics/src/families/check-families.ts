import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { partsOf, type FamilyOptions, type Kind } from './family.ts'
import type { Line } from './per-balancer.ts'
import type { Circuits, Health, Sources } from './sources.ts'

const circuitStates = ['closed', 'open', 'half-open', 'isolated']

type Circuit = ReturnType<Circuits['of']>
type HealthOfOne = ReturnType<Health['of']>
type Reader<View> = (view: View, backend: Backend, balancer: Balancer) => readonly Line[]

/** Undefined for one that has left meanwhile, or of which nothing is known. */
function known<View>(of: () => View): View | undefined {
  try {
    return of()
  } catch {
    return undefined
  }
}

/** The circuits and probes of each backend, if those plugins are registered. */
export function checkFamilies(sources: Sources): readonly FamilyOptions[] {
  const family = <View>(
    find: (balancer: Balancer) => { of(id: string): View } | undefined,
    kind: Kind,
    name: string,
    help: string,
    read: Reader<View>,
  ): FamilyOptions => ({
    ...partsOf(kind),
    name,
    help,
    *read() {
      for (const balancer of sources.balancers) {
        const views = find(balancer)
        if (views === undefined) continue
        // One after the other: thousands of views at once would hold up everybody.
        for (const backend of balancer.backends) {
          const view = known(() => views.of(backend.id))
          if (view === undefined) continue
          for (const [labels, value] of read(view, backend, balancer))
            yield { labels: { balancer: balancer.name, backend: backend.id, ...labels }, value }
        }
      }
    },
  })
  const circuits = (balancer: Balancer) => sources.circuitsOf(balancer)
  const health = (balancer: Balancer) => sources.healthOf(balancer)
  const counts = (balancer: Balancer, backend: Backend) => sources.checksOf(balancer).of(backend)
  return [
    family<Circuit>(
      circuits,
      'gauge max',
      'fastify_balancer_backend_circuit',
      "1 for the state of the backend's circuit",
      ({ state }) => circuitStates.map((one) => [{ state: one }, Number(one === state)]),
    ),
    family<Circuit>(
      circuits,
      'counter',
      'fastify_balancer_circuit_openings_total',
      "How often the backend's circuit has opened; a trial that fails does not count",
      (_view, backend, balancer) => [[{}, counts(balancer, backend).openings]],
    ),
    family<HealthOfOne>(
      health,
      'gauge min',
      'fastify_balancer_probe_good',
      '1 if the last probe of the backend was good',
      ({ active }) => (active?.lastProbe === undefined ? [] : [[{}, Number(active.lastProbe.good)]]),
    ),
    family<HealthOfOne>(
      health,
      'gauge max',
      'fastify_balancer_probe_duration_seconds',
      'Duration of the last probe of the backend',
      ({ active }) => (active?.lastProbe === undefined ? [] : [[{}, active.lastProbe.timings.took / 1000]]),
    ),
    family<HealthOfOne>(
      health,
      'counter',
      'fastify_balancer_probes_total',
      'Probes of the backend that counted, by outcome (good, bad)',
      ({ active }, backend, balancer) => {
        if (active === undefined) return []
        const { good, bad } = counts(balancer, backend)
        return [
          [{ outcome: 'good' }, good],
          [{ outcome: 'bad' }, bad],
        ]
      },
    ),
    family<HealthOfOne>(
      health,
      'counter',
      'fastify_balancer_ejections_total',
      'How often the backend was ejected by passive checks',
      ({ passive }) => [[{}, passive.everEjected]],
    ),
  ]
}

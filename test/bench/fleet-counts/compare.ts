import { latencies, type Knowledge, type Setting } from './simulation.ts'

/** What clients see, in ms, the average of several runs. */
interface Seen {
  readonly p50: number
  readonly p99: number
}

/** One setting, by what the instances know. */
export interface CountsComparison extends Readonly<Record<Knowledge, Seen>> {
  readonly policy: Setting['policy']
  readonly instances: number
  readonly backends: number
  readonly scenario: string
}

const slots = 4
const mean = 25
const seeds = [11, 22, 33]

const scenarios = [
  { name: 'equal, 60 % load', load: 0.6, slow: false },
  { name: 'equal, 80 % load', load: 0.8, slow: false },
  { name: 'one ten times slower, 60 % load', load: 0.6, slow: true },
]

function seen(setting: Setting): Seen {
  const runs = seeds.map((seed) => latencies(setting, seed))
  const average = (part: number) =>
    runs.reduce((sum, times) => sum + times[Math.floor(times.length * part)]!, 0) / runs.length
  return { p50: average(0.5), p99: average(0.99) }
}

/** Every setting: policies, instances, backends and scenarios. */
export function compareCounts(): readonly CountsComparison[] {
  const policies = ['least-requests', 'p2c'] as const
  return policies.flatMap((policy) =>
    scenarios.flatMap(({ name, load, slow }) =>
      [4, 16].flatMap((count) =>
        [2, 4, 8].map((instances) => {
          const backends = Array.from({ length: count }, (_, index) => (slow && index === 0 ? 10 * mean : mean))
          const setting = { policy, instances, backends, slots, load }
          const own = seen({ ...setting, knows: 'own' })
          const gossip = seen({ ...setting, knows: 'gossip' })
          const all = seen({ ...setting, knows: 'all' })
          return { policy, scenario: name, backends: count, instances, own, gossip, all }
        }),
      ),
    ),
  )
}

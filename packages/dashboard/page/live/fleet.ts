import type { InstancesView, InstanceView } from '../api/instance-views.ts'

/** Rates are taken over so many answers, so that they are readable and still current. */
const calm = 4

interface Sample {
  /** When the page was told, in ms. */
  readonly at: number
  readonly requests: number
}

/** An instance and what the page has found out about it. */
export interface Instance extends InstanceView {
  /** Its last answers, the oldest first. */
  readonly samples: readonly Sample[]
  /** Requests per second; undefined until it has answered twice. */
  readonly rate: number | undefined
}

/** An instance that uses another list than the others. */
export interface Drift {
  readonly instance: string
  readonly balancer: string
  readonly revision: number
  /** Revision of most of the others; undefined if there is none without drift. */
  readonly others: number | undefined
}

/** All instances. */
export interface Fleet {
  readonly keeper: string
  readonly instances: readonly Instance[]
  /** How many there should be, where there are fewer. */
  readonly wanted: number | undefined
  /** Only what has lasted: a change takes a moment to reach everybody. */
  readonly drifts: readonly Drift[]
  /** What was found the last time, lasting or not. */
  readonly suspects: ReadonlySet<string>
  /** Rows that the table has room for: at first one more than it has, as an instance is started before another one goes. */
  readonly room: number
}

function rateOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined || last.at <= first.at) return undefined
  return (1000 * (last.requests - first.requests)) / (last.at - first.at)
}

function samplesOf(before: Instance | undefined, { answered, requests }: InstanceView, at: number): readonly Sample[] {
  if (!answered) return []
  const samples = before?.samples ?? []
  // Another process of that name has begun anew.
  const isOther = requests < (samples.at(-1)?.requests ?? 0)
  return [...(isOther ? [] : samples), { at, requests }].slice(-calm)
}

/** The revision that most of those without drift have. */
function usualRevision(instances: readonly InstanceView[], balancer: string): number | undefined {
  const counts = new Map<number, number>()
  for (const { balancers } of instances)
    for (const { name, revision, drift } of balancers)
      if (name === balancer && !drift) counts.set(revision, (counts.get(revision) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0]
}

interface Suspicion {
  readonly key: string
  readonly drift: Drift
}

/** One that is still starting serves nobody yet. */
function suspicionsOf(instances: readonly InstanceView[]): readonly Suspicion[] {
  return instances.flatMap(({ id, state, balancers }) =>
    balancers
      .filter(({ drift }) => drift && state !== 'starting')
      .map(({ name, revision, digest }) => ({
        key: JSON.stringify([id, name, digest]),
        drift: { instance: id, balancer: name, revision, others: usualRevision(instances, name) },
      })),
  )
}

/** How many there should be, where there are fewer. Those that drain go; if all do, that is an order. */
function moreWanted({ wanted, instances }: InstancesView): number | undefined {
  const staying = instances.filter(({ state }) => state !== 'draining').length
  return wanted !== undefined && staying > 0 && staying < wanted ? wanted : undefined
}

/** The instances as they were told `at` that time (ms); undefined if there is only one, and only one is wanted. */
export function fleetOf(before: Fleet | undefined, view: InstancesView, at: number): Fleet | undefined {
  const { keeper, instances } = view
  const wanted = moreWanted(view)
  if (instances.length < 2 && wanted === undefined) return undefined
  const byId = new Map(before?.instances.map((one) => [one.id, one]))
  const suspicions = suspicionsOf(instances)
  return {
    keeper,
    instances: instances.map((one) => {
      const samples = samplesOf(byId.get(one.id), one, at)
      return { ...one, samples, rate: rateOf(samples) }
    }),
    wanted,
    drifts: suspicions.filter(({ key }) => before?.suspects.has(key) === true).map(({ drift }) => drift),
    suspects: new Set(suspicions.map(({ key }) => key)),
    room: before === undefined ? (wanted ?? instances.length) + 1 : Math.max(before.room, instances.length),
  }
}

/** How many instances use another list of a balancer than the others. */
export function driftingOf(fleet: Fleet | undefined, balancer: string): number {
  return fleet?.drifts.filter((drift) => drift.balancer === balancer).length ?? 0
}

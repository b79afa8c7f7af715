import type { BackendView } from '../../schemas/views.ts'
import { firstBy, mean, most, summed } from './sums.ts'

type Vetoes = BackendView['vetoes']
type Circuit = NonNullable<BackendView['circuit']>
type Health = NonNullable<BackendView['health']>

/** What is counted of a backend from its first request on, and adds up over instances, also over those that have ended. */
export type BackendCounts = Pick<
  BackendView,
  | 'requests'
  | 'retries'
  | 'outcomes'
  | 'failed'
  | 'responses'
  | 'bytesSent'
  | 'bytesReceived'
  | 'tunnelBytesSent'
  | 'tunnelBytesReceived'
> & { readonly buckets: readonly number[] }

/** See `BackendCounts`. */
export function countsOfBackend(view: Omit<BackendCounts, 'buckets'> & Pick<BackendView, 'latency'>): BackendCounts {
  const { requests, retries, outcomes, failed, responses, latency } = view
  const { bytesSent, bytesReceived, tunnelBytesSent, tunnelBytesReceived } = view
  const bytes = { bytesSent, bytesReceived, tunnelBytesSent, tunnelBytesReceived }
  return { requests, retries, outcomes, failed, responses, ...bytes, buckets: latency.buckets }
}

/** A short count of those that have something, unless all have. */
function outOf(count: number, all: number): { readonly instances?: number } {
  return count < all ? { instances: count } : {}
}

/** Each reason once; the one that has held longest speaks for the others. */
function mergedVetoes(views: readonly BackendView[]): Vetoes {
  if (views.length === 1) return views[0]!.vetoes
  const byReason = Map.groupBy(
    views.flatMap(({ vetoes }) => vetoes),
    ({ by, reason, hard }) => JSON.stringify([by, reason, hard]),
  )
  const merged = [...byReason.values()].map((same) => {
    const [first] = firstBy(same, ({ since, ...rest }) => [since, JSON.stringify(rest)])
    const until = most(
      'until',
      same.map((one) => one.until),
    )
    return Object.assign({}, first, until, outOf(same.length, views.length))
  })
  return firstBy(merged, ({ since, by, reason, hard }) => [since, by, reason, String(hard)])
}

/** The worst first. */
const circuitStates = ['isolated', 'open', 'half-open', 'closed']

function mergedCircuit(views: readonly BackendView[]): Circuit | undefined {
  const circuits = views.flatMap(({ circuit }) => circuit ?? [])
  const rank = ({ state }: Circuit) => circuitStates.indexOf(state)
  const [worst] = firstBy(circuits, (one) => [rank(one), one.since, JSON.stringify(one)])
  if (worst === undefined) return undefined
  const same = circuits.filter(({ state }) => state === worst.state)
  return {
    ...worst,
    openings: Math.max(...circuits.map(({ openings }) => openings)),
    trials: summed(circuits.map(({ trials }) => trials)),
    ...outOf(same.length, circuits.length),
  }
}

/** Probes are shared, so the newest is known best; what traffic says is each instance's own. */
function mergedHealth(views: readonly BackendView[]): Health | undefined {
  const all = views.flatMap(({ health }) => health ?? [])
  const [newest] = firstBy(all, (one) => [-(one.lastProbe?.at ?? 0), -one.since, JSON.stringify(one)])
  if (newest === undefined) return undefined
  const reasons = all.flatMap(({ notEjected }) => notEjected ?? [])
  const [notEjected] = firstBy(reasons, ({ since, reason }) => [since, reason])
  return { ...newest, ...(notEjected !== undefined && { notEjected }) }
}

/** In the order of the only answer that there is; else sorted. */
function mergedAddresses(views: readonly BackendView[]): Pick<BackendView, 'addresses'> {
  const lists = views.flatMap(({ addresses }) => (addresses === undefined ? [] : [addresses]))
  const [first] = lists
  if (first === undefined) return {}
  const isSame = lists.every((one) => one.join() === first.join())
  return { addresses: isSame ? first : [...new Set(lists.flat())].toSorted() }
}

const states = ['maintenance', 'drain', 'ready'] as const

/** It counts as healthy if it is in most of them; how many that are is told where they do not agree. */
function agreement(views: readonly BackendView[]): Pick<BackendView, 'available' | 'eligible' | 'instances'> {
  const all = views.length
  const available = views.filter((one) => one.available).length
  const eligible = views.filter((one) => one.eligible).length
  const isUnanimous = (count: number) => count === 0 || count === all
  return {
    available: available * 2 > all,
    eligible: eligible * 2 > all,
    ...(!(isUnanimous(available) && isUnanimous(eligible)) && { instances: { all, available, eligible } }),
  }
}

/**
 * One backend as all instances see it. Settings are the same everywhere; counters and what is open add up, with what ended
 * instances have `left`; states do not: the worst is told, with how many have it.
 */
export function mergedBackend(views: readonly BackendView[], left: readonly BackendCounts[] = []): BackendView {
  const { circuit: _c, health: _h, addresses: _a, instances: _i, oldestTunnel: _o, ...own } = views[0]!
  const { buckets, ...counts } = summed([...views.map(countsOfBackend), ...left])
  const circuit = mergedCircuit(views)
  const health = mergedHealth(views)
  const weights = views.map(({ latency }) => [latency.average, summed(latency.buckets)] as const)
  return {
    ...own,
    ...mergedAddresses(views),
    effectiveWeight: mean(views.map(({ effectiveWeight }) => [effectiveWeight, 1])),
    limit: summed(views.map(({ limit }) => limit)),
    state: states.find((state) => views.some((one) => one.state === state))!,
    ...agreement(views),
    vetoes: mergedVetoes(views),
    connections: summed(views.map(({ connections }) => connections)),
    inFlight: summed(views.map(({ inFlight }) => inFlight)),
    tunnels: summed(views.map(({ tunnels }) => tunnels)),
    ...most(
      'oldestTunnel',
      views.map(({ oldestTunnel }) => oldestTunnel),
    ),
    ...counts,
    latency: { average: mean(weights), buckets: [...buckets] },
    ...(circuit !== undefined && { circuit }),
    ...(health !== undefined && { health }),
  }
}

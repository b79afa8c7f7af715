import type { Static } from '@sinclair/typebox'
import type { BalancersView, BalancerView, ProcessView } from '../../schemas/views.ts'
import { firstBy, least, median, summed } from './sums.ts'

/** A balancer without its backends. */
export type Summary = Omit<Static<typeof BalancersView>['balancers'][number], 'backends' | 'available' | 'eligible'>

/** How many backends there are, and in which state. */
export type Counts = Pick<Static<typeof BalancersView>['balancers'][number], 'backends' | 'available' | 'eligible'>

/** Lists that can be rolled back to. */
export type Revisions = Static<typeof BalancerView>['revisions']

/** What is counted of a balancer from the start on, and adds up over instances, also over those that have ended. */
export interface BalancerCounts {
  readonly totals: Summary['totals']
  readonly refused: number
}

/** One balancer as all instances see it; `left` is of those that have ended. */
export function mergedSummary(summaries: readonly Summary[], left: readonly BalancerCounts[] = []): Summary {
  const { waitingByClass: _w, ...own } = summaries[0]!
  const sum = (name: 'exchanges' | 'tunnels' | 'waiting') => summed(summaries.map((one) => one[name]))
  const byClass = summaries.map(({ waitingByClass }) => waitingByClass).filter((one) => one !== undefined)
  const queues = summaries.map(({ queue }) => queue)
  return {
    ...own,
    panicking: summaries.some(({ panicking }) => panicking),
    closing: summaries.every(({ closing }) => closing),
    exchanges: sum('exchanges'),
    tunnels: sum('tunnels'),
    waiting: sum('waiting'),
    ...(byClass.length > 0 && { waitingByClass: summed(byClass) }),
    totals: summed([...summaries, ...left].map(({ totals }) => totals)),
    queue: {
      waiting: summed(queues.map(({ waiting }) => waiting)),
      max: summed(queues.map(({ max }) => max)),
      refused: summed([...queues, ...left].map(({ refused }) => refused)),
      ...least(
        'refusingSince',
        queues.map(({ refusingSince }) => refusingSince),
      ),
    },
  }
}

/** Each as most of the instances see it. */
export function mergedCounts(counts: readonly Counts[]): Counts {
  return {
    backends: median(counts.map(({ backends }) => backends)),
    available: median(counts.map(({ available }) => available)),
    eligible: median(counts.map(({ eligible }) => eligible)),
  }
}

/** Each revision once, the oldest first, at the time at which the first instance had it; at most as many as the longest list has. */
export function mergedRevisions(all: readonly Revisions[]): Revisions {
  const byRevision = Map.groupBy(all.flat(), ({ revision }) => revision)
  const merged = [...byRevision.values()].map((same) => firstBy(same, ({ at, backends }) => [at, backends])[0]!)
  const longest = Math.max(...all.map(({ length }) => length))
  return longest === 0 ? [] : firstBy(merged, ({ revision }) => [revision]).slice(-longest)
}

/** The load of all processes: memory adds up, and the busiest event loop is told. */
export function mergedLoad(all: readonly Static<typeof ProcessView>[]): Static<typeof ProcessView> | undefined {
  if (all.length === 0) return undefined
  const sheds = all.flatMap(({ shed }) => shed ?? [])
  return {
    overloaded: all.some(({ overloaded }) => overloaded),
    eventLoopDelay: Math.max(...all.map(({ eventLoopDelay }) => eventLoopDelay)),
    eventLoopUtilized: Math.max(...all.map(({ eventLoopUtilized }) => eventLoopUtilized)),
    heapUsed: summed(all.map(({ heapUsed }) => heapUsed)),
    rssBytes: summed(all.map(({ rssBytes }) => rssBytes)),
    ...(sheds.length > 0 && { shed: summed(sheds) }),
  }
}

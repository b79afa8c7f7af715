import type { FeedEvent } from '../live/events.ts'

/** What happens on several instances within this time (ms) is one thing. */
const together = 5000

/** An event, and where it happened. */
export interface Gathered {
  readonly event: FeedEvent
  /** Empty if it concerns all. */
  readonly instances: readonly string[]
}

/** What each instance finds out by itself, as a key for what is the same; undefined for what they share. */
function keyOf(event: FeedEvent): string | undefined {
  const { type, balancer, instance } = event
  if (instance === undefined) return undefined
  switch (type) {
    case 'veto':
      // Orders and probes are of all.
      return event.hard || event.by === 'health-check'
        ? undefined
        : JSON.stringify([type, balancer, event.backend, event.action, event.by])
    case 'circuit':
      return JSON.stringify([type, balancer, event.backend, event.state])
    case 'panic':
      return JSON.stringify([type, balancer, event.panicking])
    case 'queue':
    case 'overload':
      return JSON.stringify([type, balancer, event.refusing])
    default:
      return undefined
  }
}

interface Open {
  readonly event: FeedEvent
  readonly instances: string[]
}

/** One line for what happens on several of `all` instances at about the same time. `feed`: the newest first. */
export function gathered(feed: readonly FeedEvent[], all: number): readonly Gathered[] {
  if (all < 2) return feed.map((event) => ({ event, instances: [] }))
  const open = new Map<string, Open>()
  const lines: Open[] = []
  for (const event of feed.toReversed()) {
    const key = keyOf(event)
    const instance = event.instance ?? ''
    const before = key === undefined ? undefined : open.get(key)
    if (before !== undefined && event.at - before.event.at < together && !before.instances.includes(instance)) {
      before.instances.push(instance)
      continue
    }
    const line: Open = { event, instances: key === undefined ? [] : [instance] }
    if (key !== undefined) open.set(key, line)
    lines.push(line)
  }
  return lines
    .map(({ event, instances }) => ({ event, instances: instances.length < all ? instances : [] }))
    .toReversed()
}

/** So many are named. */
const mostNamed = 3

/** `on a, b`; of many, how many. */
export function placesText(instances: readonly string[], all: number): string {
  if (instances.length === 0) return ''
  return instances.length > mostNamed ? `on ${instances.length} of ${all} instances` : `on ${instances.join(', ')}`
}

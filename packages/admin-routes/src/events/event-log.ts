import type { BalancerEvent, EventDraft } from './event.ts'
import { idOfSeen, seenIn, type Seen } from './event-id.ts'
import { frameOf } from './frame.ts'

/** Which event of which instance it is. Numbers rise by one from 1. */
export interface Origin {
  readonly epoch: string
  readonly number: number
}

/** A kept event. */
export interface LoggedEvent {
  readonly type: BalancerEvent['type']
  /** Undefined if it concerns no single balancer. */
  readonly balancer: string | undefined
  readonly origin: Origin
  readonly id: string
  /** As it is sent. */
  readonly frame: string
}

/** Where a reconnecting client resumes. */
export interface Resumption {
  /** The place of the next event to send. */
  readonly next: number
  /** To be sent first, if it has missed events. */
  readonly gap: (EventDraft & { readonly type: 'gap' }) | undefined
  /** What it has seen of events that follow: it resumes at another instance, where these came in another order. */
  readonly seen?: Seen
}

/** Size limit of the log, however long single events are (characters). */
const most = 4_194_304

/**
 * The latest events, of this instance and of others that act as one with it. An event id says up to which event of each
 * instance a client has seen all, so it can resume at any instance. The epoch differs in each process.
 */
export class EventLog {
  readonly #epoch: string
  readonly #size: number
  readonly #ring: (LoggedEvent | undefined)[] = []
  /** The last number of each instance with events in the log; of this one, always. */
  readonly #seen: Map<string, number>
  /** The last number of each instance that has left the log. */
  readonly #forgotten = new Map<string, number>()
  /** The id before the oldest event. */
  #before: string
  #oldest = 1
  #newest = 0
  #length = 0

  /** Keeps `size` events, 1 at least; `epoch` holds letters and digits. */
  constructor(size: number, epoch: string) {
    this.#size = size
    this.#epoch = epoch
    this.#seen = new Map([[epoch, 0]])
    this.#before = idOfSeen(this.#seen)
  }

  /** The place of the latest event; 0 before the first. */
  get newest(): number {
    return this.#newest
  }

  /** The place of the first event that is still kept, or will be. */
  get oldest(): number {
    return this.#oldest
  }

  /** What the next event of this instance will be. */
  get nextOrigin(): Origin {
    return { epoch: this.#epoch, number: this.#seen.get(this.#epoch)! + 1 }
  }

  /** The id of the event at this place. */
  idOf(place: number): string {
    return this.at(place)?.id ?? this.#before
  }

  /** The event at this place, if it is kept. */
  at(place: number): LoggedEvent | undefined {
    return place < this.#oldest || place > this.#newest ? undefined : this.#ring[place % this.#size]
  }

  /** Adds an event, and drops the oldest ones when the log is full. One of another instance that is known changes nothing. */
  append(event: EventDraft, origin = this.nextOrigin): void {
    const { epoch, number } = origin
    if (number <= (this.#seen.get(epoch) ?? 0)) return
    this.#seen.set(epoch, number)
    const place = this.#newest + 1
    const balancer = 'balancer' in event ? event.balancer : undefined
    const id = idOfSeen(this.#seen)
    const frame = frameOf(id, event)
    if (place - this.#oldest >= this.#size) this.#forget()
    this.#ring[place % this.#size] = { type: event.type, balancer, origin, id, frame }
    this.#newest = place
    this.#length += frame.length
    while (this.#length > most && this.#oldest < place) this.#forget()
  }

  /** Where a client resumes that has seen the event with the id `last`; without one, with the next event. */
  resume(last: string | undefined, at: number): Resumption {
    if (last === undefined || last === '') return { next: this.#newest + 1, gap: undefined }
    const seen = seenIn(last)
    if (seen === undefined || !this.#knows(seen))
      return { next: this.#oldest, gap: { type: 'gap', at, reason: 'unknown-id' } }
    let missed = 0
    for (const [epoch, number] of this.#forgotten) missed += Math.max(0, number - (seen.get(epoch) ?? 0))
    let next = this.#oldest
    while (next <= this.#newest && isIn(seen, this.at(next)!)) next++
    const gap = missed === 0 ? undefined : ({ type: 'gap', at, reason: 'overflow', missed } as const)
    return { next, gap, ...(this.#seen.size + seen.size > 2 && { seen }) }
  }

  /** The place of the event where the last `count` begin that `wants` accepts; of the next event without any. */
  latest(count: number, wants: (event: LoggedEvent) => boolean): number {
    let first = this.#newest + 1
    let left = count
    for (let place = this.#newest; left > 0 && place >= this.#oldest; place--) {
      if (!wants(this.at(place)!)) continue
      first = place
      left--
    }
    return first
  }

  /** It names an instance with events here, and nothing of this one that has not happened yet. */
  #knows(seen: Seen): boolean {
    if ((seen.get(this.#epoch) ?? 0) > this.#seen.get(this.#epoch)!) return false
    return [...seen.keys()].some((epoch) => this.#seen.has(epoch))
  }

  #forget(): void {
    const index = this.#oldest % this.#size
    const { frame, id, origin } = this.#ring[index]!
    this.#length -= frame.length
    this.#before = id
    this.#forgotten.set(origin.epoch, origin.number)
    // Of an instance that may be gone, nothing is kept for ever.
    if (origin.epoch !== this.#epoch && origin.number === this.#seen.get(origin.epoch)) {
      this.#seen.delete(origin.epoch)
      this.#forgotten.delete(origin.epoch)
    }
    this.#ring[index] = undefined
    this.#oldest++
  }
}

/** Has a client seen this event? */
export function isIn(seen: Seen, { origin: { epoch, number } }: LoggedEvent): boolean {
  return number <= (seen.get(epoch) ?? 0)
}

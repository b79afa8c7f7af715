import type { BalancerEvent, EventDraft } from './event.ts'
import { frameOf } from './frame.ts'

/** An event that is kept. */
export interface LoggedEvent {
  readonly type: BalancerEvent['type']
  /** Undefined for what concerns no balancer. */
  readonly balancer: string | undefined
  /** As it is sent. */
  readonly frame: string
}

/** Where a reader goes on. */
export interface Resumption {
  /** The number of the first event for it. */
  readonly next: number
  /** What it has to be told first. */
  readonly gap: (EventDraft & { readonly type: 'gap' }) | undefined
}

/** What is kept at most, however long the events are (characters). */
const most = 4_194_304

/** The latest events. An id is an epoch, which is another in each process, and a number that rises by one. */
export class EventLog {
  readonly #epoch: string
  readonly #size: number
  readonly #ring: (LoggedEvent | undefined)[] = []
  #oldest = 1
  #newest = 0
  #length = 0

  /** Keeps `size` events, 1 at least; `epoch` holds letters and digits. */
  constructor(size: number, epoch: string) {
    this.#size = size
    this.#epoch = epoch
  }

  /** The number of the latest event; 0 before the first. */
  get newest(): number {
    return this.#newest
  }

  /** The number of the first event that is still kept, or will be. */
  get oldest(): number {
    return this.#oldest
  }

  /** The id of the event with this number. */
  idOf(number: number): string {
    return `${this.#epoch}-${number}`
  }

  /** The event with this number, if it is kept. */
  at(number: number): LoggedEvent | undefined {
    return number < this.#oldest || number > this.#newest ? undefined : this.#ring[number % this.#size]
  }

  /** Adds an event. Those that have no room any more are gone. */
  append(event: EventDraft): void {
    const number = this.#newest + 1
    const balancer = 'balancer' in event ? event.balancer : undefined
    const frame = frameOf(this.idOf(number), event)
    if (number - this.#oldest >= this.#size) this.#forget()
    this.#ring[number % this.#size] = { type: event.type, balancer, frame }
    this.#newest = number
    this.#length += frame.length
    while (this.#length > most && this.#oldest < number) this.#forget()
  }

  /** Where somebody goes on who has seen the event with the id `last`; without one, with what comes next. */
  resume(last: string | undefined, at: number): Resumption {
    if (last === undefined || last === '') return { next: this.#newest + 1, gap: undefined }
    const dash = last.lastIndexOf('-')
    const seen = /^\d{1,15}$/.test(last.slice(dash + 1)) ? Number(last.slice(dash + 1)) : NaN
    if (last.slice(0, Math.max(0, dash)) !== this.#epoch || !(seen <= this.#newest))
      return { next: this.#oldest, gap: { type: 'gap', at, reason: 'unknown-id' } }
    const missed = this.#oldest - 1 - seen
    if (missed <= 0) return { next: seen + 1, gap: undefined }
    return { next: this.#oldest, gap: { type: 'gap', at, reason: 'overflow', missed } }
  }

  #forget(): void {
    const index = this.#oldest % this.#size
    this.#length -= this.#ring[index]!.frame.length
    this.#ring[index] = undefined
    this.#oldest++
  }
}

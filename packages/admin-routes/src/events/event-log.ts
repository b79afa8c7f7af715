import type { BalancerEvent, EventDraft } from './event.ts'
import { frameOf } from './frame.ts'

/** A kept event. */
export interface LoggedEvent {
  readonly type: BalancerEvent['type']
  /** Undefined if it concerns no single balancer. */
  readonly balancer: string | undefined
  /** As it is sent. */
  readonly frame: string
}

/** Where a reconnecting client resumes. */
export interface Resumption {
  /** The number of the next event to send. */
  readonly next: number
  /** To be sent first, if it has missed events. */
  readonly gap: (EventDraft & { readonly type: 'gap' }) | undefined
}

/** Size limit of the log, however long single events are (characters). */
const most = 4_194_304

/** The latest events. An event id is the epoch, which differs in each process, and a number that rises by one. */
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

  /** Adds an event, and drops the oldest ones when the log is full. */
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

  /** Where a client resumes that has seen the event with the id `last`; without one, with the next event. */
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

  /** The number of the event where the last `count` begin that `wants` accepts; of the next event without any. */
  latest(count: number, wants: (event: LoggedEvent) => boolean): number {
    let first = this.#newest + 1
    let left = count
    for (let number = this.#newest; left > 0 && number >= this.#oldest; number--) {
      if (!wants(this.at(number)!)) continue
      first = number
      left--
    }
    return first
  }

  #forget(): void {
    const index = this.#oldest % this.#size
    this.#length -= this.#ring[index]!.frame.length
    this.#ring[index] = undefined
    this.#oldest++
  }
}

// Room `picking/queue`: requests that wait for a backend: their classes, who is next, and who is turned away.
import type { QueueRefusal } from './refusals.ts'

/** Why a waiting request gets no backend: the queue was full, or it was overloaded. */
export type TurnedAway = Exclude<QueueRefusal, 'queue-timeout'>

/** A waiting request: a linked list, so that leaving from the middle is O(1). */
export interface Waiter {
  previousWaiter: Waiter | undefined
  nextWaiter: Waiter | undefined
  waiting: boolean
  /** Its class: 0 is the most important one. */
  rank: number
  /** When it began to wait, on the queue's clock in ms. */
  waitingSince: number
  /** It was removed from the queue, and gets no backend. */
  turnAway(reason: TurnedAway): void
}

/** The waiting requests of one class, in order of arrival. */
export class Line<W extends Waiter> {
  /** Which class: 0 is the most important one. */
  readonly rank: number
  length = 0
  /** Since when it has not been empty, in ms. */
  busySince = 0
  #oldest: W | undefined
  #newest: W | undefined

  constructor(rank: number) {
    this.rank = rank
  }

  get oldest(): W | undefined {
    return this.#oldest
  }

  get newest(): W | undefined {
    return this.#newest
  }

  /** Does it wait here? */
  has(waiter: W): boolean {
    return waiter.waiting && waiter.rank === this.rank
  }

  /** Adds it at the end. */
  enter(waiter: W, now: number): void {
    waiter.rank = this.rank
    waiter.previousWaiter = this.#newest
    waiter.nextWaiter = undefined
    waiter.waiting = true
    waiter.waitingSince = now
    if (this.#newest === undefined) {
      this.#oldest = waiter
      this.busySince = now
    } else this.#newest.nextWaiter = waiter
    this.#newest = waiter
    this.length++
  }

  /** Removes it. It must be in this line. */
  leave(waiter: W): void {
    const { previousWaiter, nextWaiter } = waiter
    if (previousWaiter === undefined) this.#oldest = nextWaiter as W | undefined
    else previousWaiter.nextWaiter = nextWaiter
    if (nextWaiter === undefined) this.#newest = previousWaiter as W | undefined
    else nextWaiter.previousWaiter = previousWaiter
    waiter.previousWaiter = undefined
    waiter.nextWaiter = undefined
    waiter.waiting = false
    this.length--
  }
}

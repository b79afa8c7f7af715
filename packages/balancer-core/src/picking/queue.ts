/** A waiting request: a linked list, so that leaving from the middle is O(1). */
export interface Waiter {
  previousWaiter: Waiter | undefined
  nextWaiter: Waiter | undefined
  waiting: boolean
}

/** A bounded first-in-first-out queue for requests while all backends are full. Like HAProxy's, without priorities. */
export class WaitingQueue<W extends Waiter> {
  /** How many may wait; fewer from now on lets those that wait already go on waiting. */
  max: number
  length = 0
  #first: W | undefined
  #last: W | undefined

  constructor(max: number) {
    this.max = max
  }

  /** Adds it at the end; false when the queue is full. */
  enter(waiter: W): boolean {
    if (this.length >= this.max) return false
    waiter.previousWaiter = this.#last
    waiter.nextWaiter = undefined
    waiter.waiting = true
    if (this.#last === undefined) this.#first = waiter
    else this.#last.nextWaiter = waiter
    this.#last = waiter
    this.length++
    return true
  }

  /** The one that has waited longest. */
  get first(): W | undefined {
    return this.#first
  }

  /** The next one after `waiter`. */
  after(waiter: W): W | undefined {
    return waiter.nextWaiter as W | undefined
  }

  /** Removes it; does nothing if it does not wait. */
  leave(waiter: W): void {
    if (!waiter.waiting) return
    const { previousWaiter, nextWaiter } = waiter
    if (previousWaiter === undefined) this.#first = nextWaiter as W | undefined
    else previousWaiter.nextWaiter = nextWaiter
    if (nextWaiter === undefined) this.#last = previousWaiter as W | undefined
    else nextWaiter.previousWaiter = previousWaiter
    waiter.previousWaiter = undefined
    waiter.nextWaiter = undefined
    waiter.waiting = false
    this.length--
  }
}

import type { Backend } from '../backends/backend.ts'
import type { Picking } from './picking.ts'
import type { Waiter } from './queue/line.ts'
import type { WaitingQueue } from './queue/waiting-queue.ts'
import type { Seeker } from './seeker.ts'

/** A request that waits for a backend, and takes a place when its turn comes. */
export interface WaitingSeeker<Place> extends Seeker, Waiter {
  attempt(place: Place): void
}

/**
 * Gives free places at backends to waiting requests: each to the first one in the queue's order that may be sent there, so that a request
 * without a usable backend does not block others. Between two runs, no free place exists that a waiting request could
 * use; so a new request that finds one does not overtake anybody.
 */
export class Handover<Place extends object, W extends WaitingSeeker<Place>> {
  readonly #queue: WaitingQueue<W>
  readonly #picking: Picking<Place, W>
  /** Rebuilds the set if vetoes have changed. */
  readonly #settle: () => void
  readonly #freed = new Set<Backend>()
  #hasChanged = false
  #isDue = false

  constructor(queue: WaitingQueue<W>, picking: Picking<Place, W>, settle: () => void) {
    this.#queue = queue
    this.#picking = picking
    this.#settle = settle
  }

  /**
   * True if free places have not been offered yet: a new request must then queue, so that it does not overtake waiting
   * ones.
   */
  mustQueue(seeker: Seeker): boolean {
    if (!this.#isDue || this.#queue.length === 0 || !this.#picking.mayWait(seeker)) return false
    this.#hasChanged = true
    return true
  }

  /** A place has become free. */
  freed(backend: Backend): void {
    if (this.#queue.length === 0) return
    this.#freed.add(backend)
    this.#schedule()
  }

  /** The set has changed: any waiting request may have a usable backend now. */
  changed(): void {
    if (this.#queue.length === 0) return
    this.#hasChanged = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isDue) return
    this.#isDue = true
    // Not within this call: undici is still busy with the connection that becomes free.
    process.nextTick(() => this.#run())
  }

  #run(): void {
    this.#settle()
    const freed = [...this.#freed]
    const hasChanged = this.#hasChanged
    this.#freed.clear()
    this.#hasChanged = false
    if (hasChanged) this.#give((waiter) => this.#pick(waiter))
    else for (const backend of freed) this.#give((waiter) => this.#offer(backend, waiter))
    this.#queue.shed()
    this.#isDue = false
    // An attempt that failed at once has freed its place again.
    if (this.#hasChanged || this.#freed.size > 0) this.#schedule()
  }

  /** Offers places to waiting requests in order, until `false` says that no place is left. */
  #give(placeFor: (waiter: W) => Place | undefined | false): void {
    const round = this.#queue.round()
    for (let waiter = round.next(); waiter !== undefined; waiter = round.next()) {
      const place = placeFor(waiter)
      if (place === false) return
      if (place === undefined) round.passed(waiter)
      else {
        round.served(waiter)
        waiter.attempt(place)
      }
    }
  }

  #offer(backend: Backend, waiter: W): Place | undefined | false {
    return backend.inFlight < backend.limit && this.#picking.offer(backend, waiter)
  }

  #pick(waiter: W): Place | undefined | false {
    const answer = this.#picking.pick(waiter)
    if (typeof answer === 'object') return answer
    return this.#picking.hasRoom ? undefined : false
  }
}

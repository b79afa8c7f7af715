import type { Backend } from '../backends/backend.ts'
import type { Picking } from './picking.ts'
import type { Waiter, WaitingQueue } from './queue.ts'
import type { Seeker } from './seeker.ts'

/** One who waits for a place, and takes it when its turn has come. */
export interface WaitingSeeker<Place> extends Seeker, Waiter {
  attempt(place: Place): void
}

/**
 * Gives places that have become free to those who wait: each to the first who may be sent there, so that one who has
 * nowhere to go yet holds up nobody. Between two runs, no place is free that anybody who waits could use; so whoever
 * comes new and finds a place takes it from nobody.
 */
export class Handover<Place extends object, W extends WaitingSeeker<Place>> {
  readonly #queue: WaitingQueue<W>
  readonly #picking: Picking<Place, W>
  /** Makes the set what the vetoes say by now. */
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
   * Places are free that have not been offered yet: who looks for one must not overtake those who wait, and has its turn
   * with them in a moment.
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

  /** The set has changed: anybody may be able to go anywhere. */
  changed(): void {
    if (this.#queue.length === 0) return
    this.#hasChanged = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isDue) return
    this.#isDue = true
    // Not in this call: undici is still busy with the connection that has become free.
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
    this.#isDue = false
    // An attempt that has failed at once has freed its place again.
    if (this.#hasChanged || this.#freed.size > 0) this.#schedule()
  }

  /** Asks for each who waits, in the order in which they came, until `false` says that nothing is left to give. */
  #give(placeFor: (waiter: W) => Place | undefined | false): void {
    let waiter = this.#queue.first
    while (waiter !== undefined) {
      const place = placeFor(waiter)
      if (place === false) return
      const next = this.#queue.after(waiter)
      if (place === undefined) waiter = next
      else {
        this.#queue.leave(waiter)
        waiter.attempt(place)
        // What an attempt sets off may have taken the next one out.
        waiter = next?.waiting === true ? next : this.#queue.first
      }
    }
  }

  #offer(backend: Backend, waiter: W): Place | undefined | false {
    return backend.inFlight < backend.maxInFlight && this.#picking.offer(backend, waiter)
  }

  #pick(waiter: W): Place | undefined | false {
    const answer = this.#picking.pick(waiter)
    if (typeof answer === 'object') return answer
    return this.#picking.hasRoom ? undefined : false
  }
}

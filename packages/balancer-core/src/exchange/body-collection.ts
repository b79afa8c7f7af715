import type { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { StallWatch } from './stall-watch.ts'
import type { RateLimit } from './client-rate.ts'

/** Whose body it is. */
interface Collecting {
  onBody(body: Buffer): void
  /** The client has stopped sending, or is too slow. */
  onBodyStalled(): void
  /** The balancer has closed meanwhile. */
  onClosed(): void
}

/** How long it may take. */
interface Limits {
  readonly clock: Clock
  /** How long nothing may come, in ms; 0 = for ever. */
  readonly idle: number
  readonly rate: RateLimit
}

/** Those that wait for their clients, by their balancer: no backend and no queue knows of them. */
const underWay = new WeakMap<object, Set<BodyCollection>>()

/** The balancer has closed: whoever still waits for a body is not served any more. */
export function endCollections(balancer: object): void {
  for (const collection of underWay.get(balancer) ?? []) collection.end()
}

/**
 * Takes a small body that is slow in coming whole, before there is a place for it: a client that sends a byte now and then
 * takes no backend from anybody. (As nginx does with `proxy_request_buffering on`.)
 */
export class BodyCollection {
  readonly #collecting: Collecting
  readonly #raw: Readable
  readonly #length: number
  readonly #chunks: Buffer[] = []
  #received = 0
  readonly #limits: Limits
  readonly #siblings: Set<BodyCollection>
  #watch: StallWatch | undefined

  constructor(balancer: object, collecting: Collecting, raw: Readable, length: number, limits: Limits) {
    let siblings = underWay.get(balancer)
    if (siblings === undefined) underWay.set(balancer, (siblings = new Set()))
    this.#siblings = siblings
    this.#collecting = collecting
    this.#raw = raw
    this.#length = length
    this.#limits = limits
  }

  begin(): void {
    const {
      clock,
      idle,
      rate: { least, window },
    } = this.#limits
    let before = 0
    const isTooSlow = () => {
      const moved = this.#received - before
      before = this.#received
      return moved < (idle === 0 ? least : Math.max(least, 1))
    }
    this.#watch = new StallWatch(clock, window, isTooSlow, () => {
      this.stop()
      this.#collecting.onBodyStalled()
    })
    this.#siblings.add(this)
    this.#raw.on('readable', this.#take)
    this.#take()
  }

  end(): void {
    this.stop()
    this.#collecting.onClosed()
  }

  stop(): void {
    this.#watch?.stop()
    this.#watch = undefined
    this.#siblings.delete(this)
    this.#raw.off('readable', this.#take)
  }

  readonly #take = (): void => {
    for (let chunk = this.#raw.read() as Buffer | null; chunk !== null; chunk = this.#raw.read() as Buffer | null) {
      this.#chunks.push(chunk)
      this.#received += chunk.length
    }
    // Stopped, or not there yet. Where it ends early, the client has gone.
    if (this.#watch === undefined || this.#received < this.#length) return
    this.stop()
    this.#collecting.onBody(Buffer.concat(this.#chunks))
  }
}

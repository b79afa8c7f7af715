import type { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { StallWatch } from './limits/stall-watch.ts'
import type { RateLimit } from './limits/client-rate.ts'

/** Owner of the body. */
interface Collecting {
  onBody(body: Buffer): void
  /** The client has stopped sending, or is too slow. */
  onBodyStalled(): void
  /** The balancer has closed. */
  onClosed(): void
}

/** Time limits for the body. */
interface Limits {
  readonly clock: Clock
  /** Longest time without data, in ms; 0 = no limit. */
  readonly idle: number
  readonly rate: RateLimit
}

/** Bodies that are being read, by balancer: these requests have no backend yet and are in no queue. */
const underWay = new WeakMap<object, Set<BodyCollection>>()

/** The balancer has closed: requests that still wait for their body are failed. */
export function endCollections(balancer: object): void {
  for (const collection of underWay.get(balancer) ?? []) collection.end()
}

/**
 * Reads a small, slow body completely before a backend is picked, so that a slow client occupies none. (As nginx does
 * with `proxy_request_buffering on`.)
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
    // Stopped, or not complete yet. If it ends early, the client has gone.
    if (this.#watch === undefined || this.#received < this.#length) return
    this.stop()
    this.#collecting.onBody(Buffer.concat(this.#chunks))
  }
}

import type { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { StallWatch } from './stall-watch.ts'
import type { RateLimit } from './client-rate.ts'

/** Whose body it is. */
interface Collecting {
  onBody(body: Buffer): void
  /** The client has stopped sending, or is too slow. */
  onBodyStalled(): void
}

/** How long it may take. */
interface Limits {
  readonly clock: Clock
  /** How long nothing may come, in ms; 0 = for ever. */
  readonly idle: number
  readonly rate: RateLimit
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
  #watch: StallWatch | undefined

  constructor(collecting: Collecting, raw: Readable, length: number, limits: Limits) {
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
    this.#raw.on('readable', this.#take)
    this.#take()
  }

  stop(): void {
    this.#watch?.stop()
    this.#watch = undefined
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

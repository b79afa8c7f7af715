/** Tolerance (ms) after a round trip to notice a broken connection, and upper limit of the measured round trip (ms). */
const noticed = 50
const longestRoundTrip = 200

/** Whether a connection was used, and since when: to tell one that was closed as idle from one that broke. */
export class Http2Usage {
  /** Time until the backend's first bytes, in ms. */
  roundTrip = 0
  #hasCarried = false
  #hasServed = false
  /** After an idle period: when it was used again, and how many bytes it had received by then. */
  #wokenAt = 0
  #bytesAtWake = -1

  /** It gets its first request after it had none. */
  wakes(now: number, bytesRead: number): void {
    this.#hasCarried = true
    this.#wokenAt = now
    this.#bytesAtWake = bytesRead
  }

  /** It has no requests any more. */
  rests(): void {
    this.#hasServed = this.#hasCarried
  }

  /**
   * True if the backend closed it as idle before it saw the request: nothing was received since, and the end came
   * within one round trip of our writing. If it breaks later, the backend had the request.
   */
  isStale(now: number, bytesRead: number): boolean {
    if (!this.#hasServed || this.#bytesAtWake !== bytesRead) return false
    return now - this.#wokenAt <= Math.min(this.roundTrip, longestRoundTrip) + noticed
  }
}

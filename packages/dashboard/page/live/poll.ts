/** Asks for something again and again: soon after it was called for, and after a while anyway. */
export class Poll {
  readonly #ask: () => Promise<void>
  readonly #shortest: number
  readonly #longest: () => number
  #timer: ReturnType<typeof setTimeout> | undefined
  #askedAt = -Infinity
  #isAsking = false
  #isDue = false

  /** `ask` must not reject; `shortest` and `longest` are the times between two requests (ms). */
  constructor(ask: () => Promise<void>, shortest: number, longest: () => number) {
    this.#ask = ask
    this.#shortest = shortest
    this.#longest = longest
  }

  /** Asks as soon as it may; during a request, once more after it. */
  soon(): void {
    this.#isDue = true
    if (this.#isAsking) return
    clearTimeout(this.#timer)
    const wait = this.#askedAt + this.#shortest - performance.now()
    this.#timer = setTimeout(() => void this.#begin(), Math.max(0, wait))
  }

  async #begin(): Promise<void> {
    this.#isAsking = true
    this.#isDue = false
    this.#askedAt = performance.now()
    await this.#ask()
    this.#isAsking = false
    if (this.#isDue) this.soon()
    else this.#timer = setTimeout(() => this.soon(), this.#longest())
  }
}

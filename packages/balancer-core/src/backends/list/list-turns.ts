/** Makes changes of a list run one after the other: one begins when all before it have ended, however they did. */
export class ListTurns {
  #last: Promise<unknown> = Promise.resolve()

  /** Has its turn for as long as the work takes. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Waits for a turn, which lasts until the answer is called. */
  async take(): Promise<() => void> {
    let end!: () => void
    const before = this.#last
    this.#last = new Promise<void>((resolve) => {
      end = resolve
    })
    await before
    return end
  }
}

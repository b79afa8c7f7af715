/** What waits for its time. */
export class Answers<Answer> {
  /** The next one last. */
  readonly #waiting: { readonly due: number; readonly answer: Answer }[] = []

  /** When the next is due; Infinity when there is none. */
  get next(): number {
    return this.#waiting.at(-1)?.due ?? Infinity
  }

  add(due: number, answer: Answer): void {
    let [from, to] = [0, this.#waiting.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (this.#waiting[middle]!.due > due) from = middle + 1
      else to = middle
    }
    this.#waiting.splice(from, 0, { due, answer })
  }

  /** Takes out all whose time has come, in order. */
  dueAt(time: number): readonly Answer[] {
    const taken: Answer[] = []
    while (this.next <= time && this.#waiting.length > 0) taken.push(this.#waiting.pop()!.answer)
    return taken
  }
}

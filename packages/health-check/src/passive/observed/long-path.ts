/** At least one answer in so many must have been long. */
const oneIn = 10

/** An answer may take so many times as long as the longest before it, and still be no surprise. */
const slack = 1.25

class Counts {
  long = 0
  quick = 0

  add(isLong: boolean): void {
    if (isLong) this.long++
    else this.quick++
  }

  halve(): void {
    this.long /= 2
    this.quick /= 2
  }
}

function areOftenLong(long: number, quick: number): boolean {
  return long * oneIn >= long + quick
}

/** How long the answers of one path took, at each backend. */
export class LongPath {
  /** The longest so far, in ms. */
  longest = 0
  /** When the last long one came, on the clock in ms. */
  lastAt = -Infinity
  readonly #counts = new Map<string, Counts>()

  /** The backend `id` has answered. */
  count(id: string, isLong: boolean): void {
    let counts = this.#counts.get(id)
    if (counts === undefined) this.#counts.set(id, (counts = new Counts()))
    counts.add(isLong)
  }

  /** Older answers say less. */
  halve(): void {
    for (const counts of this.#counts.values()) counts.halve()
  }

  /**
   * Is it this path that takes so many ms, and not the backend `id`? So it is where answers have taken as long before, and
   * others, if they have answered it at all, were as slow at one in ten.
   */
  explains(id: string, duration: number): boolean {
    if (duration > this.longest * slack) return false
    const others = new Counts()
    for (const [other, { long, quick }] of this.#counts) {
      if (other === id) continue
      others.long += long
      others.quick += quick
    }
    const own = this.#counts.get(id) ?? new Counts()
    return areOftenLong(others.long, others.quick) && areOftenLong(own.long + others.long, own.quick + others.quick)
  }

  /** Is it so of whichever backend answers it? */
  get isLong(): boolean {
    return [...this.#counts.keys()].some((id) => this.explains(id, this.longest))
  }
}

/** At least one in this many responses must have been long. */
const oneIn = 10

/** A response may take this many times as long as the longest before it, and still counts as usual for the path. */
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

/** Response times of one path, for each backend. */
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

  /** Older responses count less. */
  halve(): void {
    for (const counts of this.#counts.values()) counts.halve()
  }

  /**
   * Is it the path that takes this long (ms), rather than the backend `id`? Yes, if responses have taken as long
   * before, and other backends, if they have answered it at all, were as slow in one of ten.
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

  /** Is it so for any backend? */
  get isLong(): boolean {
    return [...this.#counts.keys()].some((id) => this.explains(id, this.longest))
  }
}

/** Bytes of the body that are looked at; what follows is not read. */
export const bodyLimit = 65_536

/** As options have it: `204`, or a range such as `'200-399'`. */
export type StatusRange = number | string

function boundsOf(range: StatusRange): [least: number, greatest: number] {
  if (typeof range === 'number') return [range, range]
  const [least, greatest] = range.split('-')
  return [Number(least), Number(greatest)]
}

/** Written the wrong way round: `'399-200'` would hold nothing. */
export function isReversed(range: StatusRange): boolean {
  const [least, greatest] = boundsOf(range)
  return least > greatest
}

const byDefault: readonly StatusRange[] = ['100-499']

/**
 * The statuses that are good where the options name none: whoever answers below 500 is there and has understood. So has a
 * server that does not know the method (501, RFC 9110 §15.6.2), as many small ones that have no HEAD; but all must know
 * GET (§9.1).
 */
export function defaultStatuses(method: string): readonly StatusRange[] {
  return method === 'GET' ? byDefault : [...byDefault, 501]
}

/** Answers a question about statuses, worked out once. */
export function statusMatcher(ranges: readonly StatusRange[]): (status: number) => boolean {
  const bounds = ranges.map(boundsOf)
  return (status) => bounds.some(([least, greatest]) => status >= least && status <= greatest)
}

/** What is known of a body of which more may come: a decision, or none yet. */
export type BodyFinding = boolean | undefined

/** Looks through one body as it arrives, no further than `bodyLimit`. */
export class BodySearch {
  readonly #wanted: Buffer | RegExp
  // As long as it ever gets: growing it with each chunk would copy 64 KiB for each byte that a slow backend sends.
  readonly #held = Buffer.allocUnsafe(bodyLimit)
  #length = 0

  constructor(wanted: string | RegExp) {
    // A copy: a RegExp that is global or sticky remembers where it ended.
    this.#wanted = typeof wanted === 'string' ? Buffer.from(wanted) : new RegExp(wanted.source, wanted.flags)
  }

  /** More of the body. A string is found as soon as it has arrived; a RegExp may have something to say about the end. */
  add(chunk: Buffer): BodyFinding {
    const before = this.#length
    this.#length += chunk.copy(this.#held, before)
    if (Buffer.isBuffer(this.#wanted)) {
      // It may have begun in what was there before.
      const from = Math.max(0, before - this.#wanted.length + 1)
      if (this.#held.subarray(from, this.#length).includes(this.#wanted)) return true
    }
    return this.#length === bodyLimit ? this.end() : undefined
  }

  /** No more of it is coming, or is looked at. */
  end(): boolean {
    const held = this.#held.subarray(0, this.#length)
    return Buffer.isBuffer(this.#wanted) ? held.includes(this.#wanted) : this.#wanted.test(held.toString())
  }
}

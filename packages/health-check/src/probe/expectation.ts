/** Bytes of the body that are checked; the rest is not read. */
export const bodyLimit = 65_536

/** As in the options: `204`, or a range such as `'200-399'`. */
export type StatusRange = number | string

function boundsOf(range: StatusRange): [least: number, greatest: number] {
  if (typeof range === 'number') return [range, range]
  const [least, greatest] = range.split('-')
  return [Number(least), Number(greatest)]
}

/** Reversed: `'399-200'` would match nothing. */
export function isReversed(range: StatusRange): boolean {
  const [least, greatest] = boundsOf(range)
  return least > greatest
}

const byDefault: readonly StatusRange[] = ['100-499']

/**
 * The default for healthy statuses: below 500, the server is there and has understood. So has a server that does not
 * know the method (501, RFC 9110 §15.6.2), as many small ones without HEAD; but every server must know GET (§9.1).
 */
export function defaultStatuses(method: string): readonly StatusRange[] {
  return method === 'GET' ? byDefault : [...byDefault, 501]
}

/** Returns a check for statuses, precomputed. */
export function statusMatcher(ranges: readonly StatusRange[]): (status: number) => boolean {
  const bounds = ranges.map(boundsOf)
  return (status) => bounds.some(([least, greatest]) => status >= least && status <= greatest)
}

/** The decision about a body so far; undefined = none yet. */
export type BodyFinding = boolean | undefined

/** Checks one body as it arrives, up to `bodyLimit`. */
export class BodySearch {
  readonly #wanted: Buffer | RegExp
  // Allocated at full size: growing it with each chunk would copy 64 KiB for each byte from a slow backend.
  readonly #held = Buffer.allocUnsafe(bodyLimit)
  #length = 0

  constructor(wanted: string | RegExp) {
    // A copy: a global or sticky RegExp remembers where it ended.
    this.#wanted = typeof wanted === 'string' ? Buffer.from(wanted) : new RegExp(wanted.source, wanted.flags)
  }

  /** Adds a chunk. A string is found as soon as it has arrived; a RegExp may depend on the end. */
  add(chunk: Buffer): BodyFinding {
    const before = this.#length
    this.#length += chunk.copy(this.#held, before)
    if (Buffer.isBuffer(this.#wanted)) {
      // The string may have begun in an earlier chunk.
      const from = Math.max(0, before - this.#wanted.length + 1)
      if (this.#held.subarray(from, this.#length).includes(this.#wanted)) return true
    }
    return this.#length === bodyLimit ? this.end() : undefined
  }

  /** The end of the body, or of the part that is checked. */
  end(): boolean {
    const held = this.#held.subarray(0, this.#length)
    return Buffer.isBuffer(this.#wanted) ? held.includes(this.#wanted) : this.#wanted.test(held.toString())
  }
}

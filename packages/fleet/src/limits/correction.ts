import { divide, type Party } from './division.ts'

/** An instance with what it may use of a backend, by the ledger. */
export interface Holder extends Party {
  readonly granted: number
}

/** One backend, as one instance sees it. */
export interface Position {
  /** The most requests that all together may have in flight. */
  readonly total: number
  readonly self: Holder
  readonly others: readonly Holder[]
  /** Requests of this instance. */
  readonly inFlight: number
}

/** What an instance does next at one backend. */
export interface Correction {
  /** What the ledger should say of this instance. */
  readonly granted: number
  /** The most that it may have in flight from now on; more than `granted` only once the ledger says so. */
  readonly limit: number
}

/**
 * The next step of one instance towards a just division. It takes only what is free, and gives only of its own: it lowers
 * its limit at once, and frees the places in the ledger when its requests have left them. So what is in force never adds up
 * to more than `total`, but for the 1 that each has at least, whatever is known of the others.
 */
export function correct({ total, self, others, inFlight }: Position): Correction {
  const shares = divide(total, [self, ...others])
  const { granted } = self
  const target = shares.get(self.id)!
  const used = others.reduce((sum, other) => sum + other.granted, granted)
  if (granted < target) {
    const next = Math.max(1, granted + Math.min(target - granted, Math.max(0, total - used)))
    return { granted: next, limit: next }
  }
  const gives = used > total || !self.takesRest || others.some((other) => isShort(other, shares.get(other.id)!))
  if (!gives) return { granted, limit: granted }
  return { granted: Math.max(target, Math.min(granted, inFlight)), limit: target }
}

/** Small differences to the share do not count: otherwise, limits would change with every request. */
function isShort({ granted, wants }: Holder, share: number): boolean {
  return granted < share && (granted < wants || granted * 2 < share)
}

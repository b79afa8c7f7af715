import type { Address, Family } from './addresses/address.ts'

/** Result of a name look-up. */
export interface Finding {
  readonly addresses: readonly Address[]
  /** How long the result is valid (ms); undefined if the source cannot say. */
  readonly ttl?: number
  /** The full name that has the addresses. */
  readonly fullName?: string
  /** Families for which no answer came. */
  readonly unanswered: readonly Family[]
  /** A name before `fullName` may have addresses too: no answer came for it. */
  readonly passedOver: boolean
  /** Found by the system: only it can tell when they change. */
  readonly bySystem?: true
  /** Why there are none, or not all. */
  readonly error?: Error | undefined
}

/** True if the look-up failed, rather than found that there are none. */
export function isUnanswered({ addresses, unanswered, passedOver }: Finding): boolean {
  return addresses.length === 0 && (unanswered.length > 0 || passedOver)
}

/** A complete result: these addresses. */
export function found(addresses: readonly Address[]): Finding {
  return { addresses, unanswered: [], passedOver: false }
}

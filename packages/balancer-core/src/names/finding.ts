import type { Address, Family } from './addresses/address.ts'

/** What came of looking for a name. */
export interface Finding {
  readonly addresses: readonly Address[]
  /** How long that holds (ms); undefined where whoever answered cannot say. */
  readonly ttl?: number
  /** The full name that has them. */
  readonly fullName?: string
  /** Families of which nothing is known: their question was not answered. */
  readonly unanswered: readonly Family[]
  /** A name that comes before `fullName` may have addresses, too: its question was not answered. */
  readonly passedOver: boolean
  /** The system has found them, not we: only it can say when they change. */
  readonly bySystem?: true
  /** Why there are none, or not all. */
  readonly error?: Error | undefined
}

/** Nobody says that there is none; only nothing was found out. */
export function isUnanswered({ addresses, unanswered, passedOver }: Finding): boolean {
  return addresses.length === 0 && (unanswered.length > 0 || passedOver)
}

/** All that there is to know: these addresses. */
export function found(addresses: readonly Address[]): Finding {
  return { addresses, unanswered: [], passedOver: false }
}

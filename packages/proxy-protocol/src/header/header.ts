import type { Ends } from './ends.ts'

/** A header that was read. */
export interface Header {
  /** In bytes; what follows belongs to the client. */
  readonly length: number
  /** Undefined if it speaks of no client with an IP address: the ends of the connection itself hold. */
  readonly ends: Ends | undefined
}

/** What is wrong with a header. */
export class HeaderFault extends Error {}

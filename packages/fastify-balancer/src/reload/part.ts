import type { FixedOption } from '@fastify-balancer/balancer-core'
import type { OptionChange } from '@fastify-balancer/option-schema'

/** A change as it is told. */
export interface ToldChange extends OptionChange {
  /** It replaces what was changed through the admin API since the last reload. */
  readonly overrides?: true
}

/** Something that is wrong with a part, and the option that it is about, by JSON pointer; `''` if that is not known. */
export interface PartFault {
  readonly pointer: string
  readonly message: string
}

/** A part of a configuration that was checked, and is put in force with all others, or not at all. */
export interface Part {
  readonly faults: readonly PartFault[]
  readonly changes: readonly ToldChange[]
  readonly cannot: readonly FixedOption[]
  /** It cannot fail. */
  commit(): void
  abandon(): void
}

/** A part in which nothing changes. */
export const unchanged: Part = { faults: [], changes: [], cannot: [], commit() {}, abandon() {} }

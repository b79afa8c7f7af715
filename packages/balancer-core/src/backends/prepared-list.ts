import type { ParsedBackend } from './backend-options.ts'
import type { ListChange } from './list-change.ts'

/** A list that may take the place of the current one, together with the options that it stands in. */
export interface PreparedList {
  readonly listed: readonly ParsedBackend[]
  readonly change: ListChange
  /** Why it must not take that place, one line each. */
  readonly faults: readonly string[]
  /** Puts it in force, with its options. A promise where its revision is still to be agreed on. */
  adopt(): Promise<void> | undefined
  /** Nothing has happened. */
  dismiss(): void
}

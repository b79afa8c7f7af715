import type { OptionChange } from '@fastify-balancer/option-schema'

/** An option that stays as it is until the next start. */
export interface FixedOption extends OptionChange {
  readonly why: string
}

/** The part that another plugin has in a change of options. What it would need is done before: `commit` cannot fail. */
export interface Participation {
  /** Why it refuses the change, one line each. */
  readonly faults: readonly string[]
  readonly changes: readonly OptionChange[]
  readonly cannot?: readonly FixedOption[]
  /** The balancer's options are in force; its list is about to be. */
  commit(): void
  /** The change is not made. */
  abandon(): void
}

// Room `changes`: options that change while the balancer runs: checked first, then put in force at once, or not at all.
import type { OptionChange } from '@fastify-balancer/option-schema'
import type { ListChange, PreparedList } from '../backends/list/list-change.ts'
import { BadOptionsError } from '../errors.ts'
import type { FixedOption, Participation } from './participation.ts'

const noChange: ListChange = { added: [], removed: [], changed: [], overridden: [] }

/** What there is to do for a change, and how it is told. */
export interface ChangeParts {
  readonly faults: readonly string[]
  readonly changes: readonly OptionChange[]
  readonly cannot: readonly FixedOption[]
  /** None where something was wrong before it came to that. */
  readonly list: PreparedList | undefined
  readonly participants: readonly Participation[]
  /** Puts everything but the list in force. */
  readonly apply: () => void
  /** Others may change the list again. */
  readonly end: () => void
}

/**
 * A change of a balancer's options that was checked, and has not been made. No other change of the list runs until it
 * is committed or abandoned, so do that soon.
 */
export class PreparedChange {
  /** Why it cannot be made, one line each. */
  readonly faults: readonly string[]
  /** Every option that would be another, those of other plugins included. */
  readonly changes: readonly OptionChange[]
  /** What it would do to the list. */
  readonly backends: ListChange
  /** What would stay as it is until the next start. */
  readonly cannot: readonly FixedOption[]
  #parts: ChangeParts | undefined

  constructor(parts: ChangeParts) {
    const { participants, list } = parts
    this.faults = [...parts.faults, ...participants.flatMap(({ faults }) => faults), ...(list?.faults ?? [])]
    this.changes = [...parts.changes, ...participants.flatMap(({ changes }) => changes)]
    this.backends = list?.change ?? noChange
    this.cannot = [...parts.cannot, ...participants.flatMap(({ cannot }) => cannot ?? [])]
    this.#parts = parts
  }

  /** Would it change nothing at all? */
  get isEmpty(): boolean {
    const { added, removed, changed } = this.backends
    return this.changes.length + added.length + removed.length + changed.length === 0
  }

  /**
   * Puts all of it in force, at once. Requests in progress end as they began.
   * @throws BadOptionsError where there are faults; Error after `commit` or `abandon`
   */
  commit(): void {
    if (this.faults.length > 0) throw new BadOptionsError(this.faults.join('; '))
    const { apply, participants, list, end } = this.#take()
    let agreeing: Promise<void> | undefined
    try {
      apply()
      for (const participant of participants) participant.commit()
      agreeing = list?.adopt()
    } finally {
      // A policy of the user's own may throw when it gets the list. Later changes must not wait for ever.
      if (agreeing === undefined) end()
      else agreeing.then(end, end)
    }
  }

  /** Leaves everything as it is. Does nothing after `commit` or `abandon`. */
  abandon(): void {
    if (this.#parts === undefined) return
    const { participants, list, end } = this.#take()
    for (const participant of participants) participant.abandon()
    list?.dismiss()
    end()
  }

  #take(): ChangeParts {
    const parts = this.#parts
    if (parts === undefined) throw new Error('This change was committed or abandoned before')
    this.#parts = undefined
    return parts
  }
}

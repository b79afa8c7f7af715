import type { Backend } from './backend.ts'
import type { Clock } from './clock.ts'

/** What a veto says. */
export interface VetoOptions {
  /** Who says so, e.g. `health-check`. */
  readonly by: string
  /** Why, for the one who is woken at night. */
  readonly reason: string
  /** An order (drain, maintenance), which panic never overrides; otherwise an opinion, which it does. Default false. */
  readonly hard?: boolean
  /** Lifted by itself after so many ms; without it, only by its handle. */
  readonly ttl?: number
  /** What the reason rests on: plain data, shown wherever the veto is. */
  readonly evidence?: unknown
}

/** A reason, with an owner, not to use a backend. */
export interface Veto {
  readonly by: string
  readonly reason: string
  readonly hard: boolean
  /** When it was laid, in ms since the epoch. */
  readonly since: number
  readonly evidence?: unknown
  /** Takes it back. Calling it again does nothing. */
  lift(): void
}

/** A veto as the live view and `explain` show it. */
export type VetoView = Pick<Veto, 'by' | 'reason' | 'hard' | 'since'> & Partial<Pick<Veto, 'evidence'>>

/** What of a veto is data. */
export function viewOfVeto({ by, reason, hard, since, evidence }: Veto): VetoView {
  return { by, reason, hard, since, ...(evidence !== undefined && { evidence }) }
}

/** Lays vetoes, and keeps the timers of those that lift themselves. */
export class Vetoes {
  readonly #clock: Clock
  readonly #onLift: () => void
  readonly #timers = new Set<unknown>()

  /** `onLift` hears of each veto that has gone. */
  constructor(clock: Clock, onLift: () => void) {
    this.#clock = clock
    this.#onLift = onLift
  }

  /** It holds until it is lifted, by its handle or by its `ttl`. */
  lay(backend: Backend, { by, reason, hard = false, ttl, evidence }: VetoOptions): Veto {
    let timer: unknown
    const veto: Veto = {
      by,
      reason,
      hard,
      since: Date.now(),
      evidence,
      lift: () => {
        if (!backend.vetoes.includes(veto)) return
        this.#clock.clearTimeout(timer)
        this.#timers.delete(timer)
        backend.vetoes = backend.vetoes.filter((one) => one !== veto)
        this.#onLift()
      },
    }
    if (ttl !== undefined) this.#timers.add((timer = this.#clock.setTimeout(() => veto.lift(), ttl)))
    backend.vetoes = [...backend.vetoes, veto]
    return veto
  }

  /** None lifts itself any more. */
  stop(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer)
  }
}

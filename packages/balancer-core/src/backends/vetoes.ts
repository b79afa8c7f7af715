import type { Backend } from './backend.ts'
import type { Clock } from '../clock.ts'
import type { Veto, VetoOptions } from './veto.ts'

/** Places vetoes, and keeps the timers of those with a `ttl`. */
export class Vetoes {
  readonly #clock: Clock
  readonly #onLift: () => void
  readonly #timers = new Set<unknown>()

  /** `onLift` is called for each veto that was lifted. */
  constructor(clock: Clock, onLift: () => void) {
    this.#clock = clock
    this.#onLift = onLift
  }

  /** It holds until its handle or its `ttl` lifts it. */
  lay(backend: Backend, { by, reason, hard = false, ttl, who, until, evidence }: VetoOptions): Veto {
    let timer: unknown
    const since = Date.now()
    const veto: Veto = {
      by,
      reason,
      hard,
      since,
      who,
      until: until ?? (ttl === undefined ? undefined : since + ttl),
      evidence,
      lift: () => {
        if (!backend.vetoes.includes(veto)) return
        this.#clock.clearTimeout(timer)
        this.#timers.delete(timer)
        backend.vetoes = backend.vetoes.filter((one) => one !== veto)
        this.#onLift()
      },
    }
    backend.vetoes = [...backend.vetoes, veto]
    if (ttl !== undefined) this.#timers.add((timer = this.#clock.setTimeout(() => veto.lift(), ttl)))
    return veto
  }

  /** Cancels all timers. */
  stop(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer)
  }
}

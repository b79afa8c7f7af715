import type { Attempt, Backend } from '@fastify-balancer/balancer-core'
import type { PressureOptions } from './pressure-options.ts'
import type { TimedVetoes } from './timed-vetoes.ts'

/** On an attempt whose response was granted a pause. */
const granted = Symbol('health-check.granted')
type Heeded = Attempt & { [granted]?: true }

/**
 * Pauses backends that ask for it: by 503 with `retry-after` (RFC 9110 §10.2.3), and by 429 where the options say so. By
 * itself a 429 speaks of one client (RFC 6585 §4) and says nothing about the backend: it is no failure, no success, and
 * no measure of its speed, whatever is heeded. Nor does a
 * 501 to any method but GET, which all servers know: it speaks of the method (RFC 9110 §15.6.2), and any client could
 * have a server without HEAD ejected. A 503 is pressure and no sickness only where its pause is granted: one
 * that asks for none, or that the ceiling refuses, goes on being sent requests, and fails like any other. A new hint
 * makes a pause longer, never shorter, whenever its attempt began.
 */
export class Pressure {
  #options: PressureOptions
  readonly #vetoes: TimedVetoes
  readonly #epoch: () => number
  readonly #mayVeto: (backend: Backend) => boolean

  /** `mayVeto` is asked before a veto is laid; `epoch` answers ms since 1970. */
  constructor(
    options: PressureOptions,
    vetoes: TimedVetoes,
    epoch: () => number,
    mayVeto: (backend: Backend) => boolean,
  ) {
    this.#options = options
    this.#vetoes = vetoes
    this.#epoch = epoch
    this.#mayVeto = mayVeto
  }

  /** Goes by these from now on; pauses that were granted stay. */
  configure(options: PressureOptions): void {
    this.#options = options
  }

  /** Is its response neither success nor failure? To be asked once it was heeded. */
  isPressure(attempt: Heeded): boolean {
    const { status, exchange } = attempt
    return status === 429 || (status === 501 && exchange.method !== 'GET') || attempt[granted] === true
  }

  /** Its response headers have arrived: grants the pause that they ask for, if it may. */
  heed(attempt: Heeded): void {
    const { backend, status, headers } = attempt
    const { heed } = this.#options
    if ((status !== 503 || heed === false) && (status !== 429 || heed !== '429-and-503')) return
    const given = headers['retry-after']
    if (status === 503 && given === undefined) return
    const field = typeof given === 'number' ? String(given) : given
    const hint = attempt.retryAfter(this.#epoch())
    const asked = hint === undefined || (hint === 0 && status === 429) ? this.#options.byDefault : hint
    const duration = Math.min(asked, this.#options.cap)
    if (duration === 0) return
    if (this.#vetoes.has(backend)) this.#vetoes.extend(backend, duration)
    else if (this.#mayVeto(backend)) this.#lay(backend, status, field, hint, duration)
    else return
    attempt[granted] = true
  }

  #lay(
    backend: Backend,
    status: number,
    field: string | readonly string[] | undefined,
    hint: number | undefined,
    duration: number,
  ): void {
    const asked = hint === undefined ? 'without a hint that can be read' : `retry-after: ${String(field).slice(0, 40)}`
    const rule = `status ${status}, ${asked}: left alone for ${duration} ms`
    this.#vetoes.lay(
      backend,
      rule,
      { status, hinted: hint !== undefined, asked: hint ?? null, granted: duration },
      duration,
    )
  }
}

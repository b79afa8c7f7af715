import type { Attempt, Backend } from '@fastify-balancer/balancer-core'
import type { PressureOptions } from './pressure-options.ts'
import type { TimedVetoes } from './timed-vetoes.ts'

/** Marks an attempt whose response caused a pause. */
const granted = Symbol('health-check.granted')
type Heeded = Attempt & { [granted]?: true }

/**
 * Pauses backends that ask for it: by 503 with `Retry-After` (RFC 9110 §10.2.3), and by 429 if the options say so.
 * Otherwise a 429 concerns one client (RFC 6585 §4), not the backend: it is neither failure nor success, and its
 * duration does not count. The same holds for 501 to any method but GET, which every server must know: it concerns the
 * method (RFC 9110 §15.6.2), and otherwise any client could get a server without HEAD ejected. So it is with the gRPC
 * statuses that mean the same, and with those that mean 499: `CANCELLED`, and `DEADLINE_EXCEEDED` by the client's deadline. A 503 that causes a
 * pause is no failure. A 503 that asks for none, or whose pause the ceiling refuses, is a failure like any other, and
 * the backend keeps getting requests. Another `Retry-After` can make a pause longer, never shorter.
 */
export class Pressure {
  #options: PressureOptions
  readonly #vetoes: TimedVetoes
  readonly #epoch: () => number
  readonly #mayVeto: (backend: Backend) => boolean

  /** `mayVeto` decides whether a pause is allowed; `epoch` returns ms since 1970. */
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

  /** Does its response count neither as success nor as failure? To be called after `heed`. */
  isPressure(attempt: Heeded): boolean {
    const { effectiveStatus: status, exchange } = attempt
    return (
      status === 429 || status === 499 || (status === 501 && exchange.method !== 'GET') || attempt[granted] === true
    )
  }

  /** Called with the response headers: pauses the backend if they ask for it and it is allowed. */
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
    const asked =
      hint === undefined ? 'without a readable retry-after' : `with retry-after: ${String(field).slice(0, 40)}`
    const rule = `status ${status} ${asked}`
    this.#vetoes.lay(
      backend,
      rule,
      { status, hinted: hint !== undefined, asked: hint ?? null, granted: duration },
      duration,
    )
  }
}

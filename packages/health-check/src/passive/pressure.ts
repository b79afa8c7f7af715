import type { Attempt, Backend } from '@fastify-balancer/balancer-core'
import type { PressureOptions } from './pressure-options.ts'
import { retryAfter } from './retry-after.ts'
import type { TimedVetoes } from './timed-vetoes.ts'

/**
 * Heeds backends that ask for a pause: 429 (RFC 6585 §4), or 503 with `retry-after` (RFC 9110 §10.2.3). That is
 * pressure and no sickness. A new hint makes a pause longer, never shorter, whenever its attempt began.
 */
export class Pressure {
  readonly #options: PressureOptions
  readonly #vetoes: TimedVetoes
  readonly #epoch: () => number
  readonly #mayVeto: (backend: Backend) => boolean

  /** `mayVeto` is the ceiling; `epoch` answers ms since 1970. */
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

  /** Is this response a request for a pause, and so neither success nor failure? */
  isPressure(attempt: Attempt): boolean {
    const { status } = attempt
    if (status !== 429 && status !== 503) return false
    return this.#options.heed && (status === 429 || attempt.headers['retry-after'] !== undefined)
  }

  /** Grants what the response asks for. */
  heed({ backend, status, headers }: Attempt): void {
    const given = headers['retry-after']
    const field = typeof given === 'number' ? String(given) : given
    const hint = retryAfter(field, this.#epoch())
    const duration = Math.min(hint ?? this.#options.byDefault, this.#options.cap)
    if (duration === 0) return
    if (this.#vetoes.has(backend)) {
      this.#vetoes.extend(backend, duration)
      return
    }
    if (!this.#mayVeto(backend)) return
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

import type { Backend, Balancer, Veto } from '@fastify-balancer/balancer-core'
import type { Circuit } from '../circuit/circuit.ts'
import type { FailureNote } from './recent-failures.ts'

/**
 * The veto of a backend, placed exactly while its circuit admits no request. If the circuit's reason or end changes, a
 * new veto is placed before the old one is lifted.
 */
export class CircuitVeto {
  readonly #balancer: Balancer
  readonly #backend: Backend
  readonly #circuit: Circuit
  #veto: Veto | undefined
  // The state of the circuit that the veto shows.
  #epoch = 0
  #rule = ''
  #until: number | undefined
  #who: string | undefined

  constructor(balancer: Balancer, backend: Backend, circuit: Circuit) {
    this.#balancer = balancer
    this.#backend = backend
    this.#circuit = circuit
  }

  /**
   * Places, replaces or lifts it, as the circuit requires; `failures` is the evidence, `until` the next change of the circuit
   * by time, in ms since the epoch.
   */
  follow(failures: readonly FailureNote[], until: number | undefined): void {
    const veto = this.#veto
    const { epoch, reason, nextChangeAt, held } = this.#circuit
    if (this.#circuit.admits()) this.#veto = undefined
    else if (veto !== undefined && epoch === this.#epoch && this.#isSame()) return
    else {
      this.#epoch = epoch
      this.#rule = reason
      this.#until = nextChangeAt
      this.#who = held?.who
      this.#veto = this.#lay(failures, until)
    }
    veto?.lift()
  }

  #isSame(): boolean {
    const { reason, nextChangeAt, held } = this.#circuit
    return reason === this.#rule && nextChangeAt === this.#until && held?.who === this.#who
  }

  lift(): void {
    this.#veto?.lift()
  }

  #lay(failures: readonly FailureNote[], until: number | undefined): Veto {
    const { state, reason, openings, nextChangeAt, held } = this.#circuit
    return this.#balancer.veto(this.#backend, {
      by: 'circuit-breaker',
      reason: state === 'half-open' ? 'half-open: a trial is in progress' : `${state}: ${reason}`,
      // An order by hand, which holds in panic mode too.
      hard: state === 'isolated',
      ...(held?.who !== undefined && { who: held.who }),
      // A trial ends when it has an outcome.
      ...(until !== undefined && state !== 'half-open' && { until }),
      evidence: {
        state,
        rule: reason,
        openings,
        ...(nextChangeAt !== undefined && { lasts: Math.round(nextChangeAt - this.#balancer.clock.now()) }),
        failures,
      },
    })
  }
}

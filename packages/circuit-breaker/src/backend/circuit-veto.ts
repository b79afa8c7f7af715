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

  constructor(balancer: Balancer, backend: Backend, circuit: Circuit) {
    this.#balancer = balancer
    this.#backend = backend
    this.#circuit = circuit
  }

  /** Places, replaces or lifts it, as the circuit requires; `failures` is the evidence. */
  follow(failures: readonly FailureNote[]): void {
    const veto = this.#veto
    const { epoch, reason, nextChangeAt } = this.#circuit
    if (this.#circuit.admits()) this.#veto = undefined
    else if (veto !== undefined && epoch === this.#epoch && reason === this.#rule && nextChangeAt === this.#until)
      return
    else {
      this.#epoch = epoch
      this.#rule = reason
      this.#until = nextChangeAt
      this.#veto = this.#lay(failures)
    }
    veto?.lift()
  }

  lift(): void {
    this.#veto?.lift()
  }

  #lay(failures: readonly FailureNote[]): Veto {
    const { state, reason, openings, nextChangeAt } = this.#circuit
    return this.#balancer.veto(this.#backend, {
      by: 'circuit-breaker',
      reason: state === 'half-open' ? 'half-open: a trial is in progress' : `${state}: ${reason}`,
      // An order by hand, which holds in panic mode too.
      hard: state === 'isolated',
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

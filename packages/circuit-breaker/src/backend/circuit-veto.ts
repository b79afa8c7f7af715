import type { Backend, Balancer, Veto } from '@fastify-balancer/balancer-core'
import type { Circuit } from '../circuit/circuit.ts'
import type { FailureNote } from './recent-failures.ts'

/** The state of a circuit at one moment. */
interface Look extends Pick<Circuit, 'epoch' | 'state' | 'reason' | 'openings' | 'nextChangeAt'> {
  readonly who: string | undefined
  readonly admits: boolean
}

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
    const seen = this.#look()
    const veto = this.#veto
    const { epoch, reason, nextChangeAt, who } = seen
    const isSame = epoch === this.#epoch && reason === this.#rule && nextChangeAt === this.#until && who === this.#who
    if (seen.admits) this.#veto = undefined
    else if (veto !== undefined && isSame) return
    else {
      this.#epoch = epoch
      this.#rule = reason
      this.#until = nextChangeAt
      this.#who = who
      this.#veto = this.#lay(seen, failures, until)
    }
    veto?.lift()
  }

  /**
   * The state of the circuit at one moment. Reading lets a change pass that has just become due, and that calls `follow`:
   * what was read before it is not of the same state as what follows.
   */
  #look(): Look {
    for (;;) {
      const { epoch, state, reason, openings, nextChangeAt, held } = this.#circuit
      const admits = this.#circuit.admits()
      if (epoch === this.#circuit.epoch) return { epoch, state, reason, openings, nextChangeAt, who: held?.who, admits }
    }
  }

  lift(): void {
    this.#veto?.lift()
  }

  #lay(
    { state, reason, openings, nextChangeAt, who }: Look,
    failures: readonly FailureNote[],
    until: number | undefined,
  ): Veto {
    return this.#balancer.veto(this.#backend, {
      by: 'circuit-breaker',
      reason: state === 'half-open' ? 'half-open: a trial is in progress' : `${state}: ${reason}`,
      // An order by hand, which holds in panic mode too.
      hard: state === 'isolated',
      ...(who !== undefined && { who }),
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

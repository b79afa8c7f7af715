import type { Backend, Balancer, Veto } from '@fastify-balancer/balancer-core'
import type { Judge, Judgement } from '../judgement/judgement.ts'

/** Evidence of a veto; `until` (ms since the epoch) changes when it is extended. */
export type TimedEvidence = Record<string, unknown> & { until?: number }

interface Held {
  veto: Veto | undefined
  /** On the clock, in ms. */
  until: number
  timer: unknown
  readonly evidence: TimedEvidence
}

/** Remaining time (ms) that is too short for a timer: timers may fire a little early. */
const negligible = 1

/**
 * The vetoes of one owner: at most one per backend, each with an end, which is reported like its beginning. The
 * balancer's own `ttl` would end one without a report, and cannot be extended.
 */
export class TimedVetoes {
  readonly #balancer: Balancer
  readonly #by: Judgement['by']
  readonly #judge: Judge
  readonly #epoch: () => number
  readonly #onLift: (backend: Backend) => void
  readonly #held = new Map<Backend, Held>()

  /** `epoch` returns ms since 1970; `onLift` is called before the backend gets requests again. */
  constructor(
    balancer: Balancer,
    by: Judgement['by'],
    judge: Judge,
    epoch: () => number,
    onLift: (backend: Backend) => void = () => {},
  ) {
    this.#balancer = balancer
    this.#by = by
    this.#judge = judge
    this.#epoch = epoch
    this.#onLift = onLift
  }

  has(backend: Backend): boolean {
    return this.#held.has(backend)
  }

  get size(): number {
    return this.#held.size
  }

  /** How many have one of these and none of the `others`. */
  countWithout(others: TimedVetoes): number {
    let count = 0
    for (const backend of this.#held.keys()) if (!others.has(backend)) count++
    return count
  }

  /** When its veto ends, in ms since the epoch; undefined without one. */
  until(backend: Backend): number | undefined {
    return this.#held.get(backend)?.evidence.until
  }

  /** All backends with a veto, in order of their end. */
  get backends(): Backend[] {
    const held = [...this.#held].sort(([, a], [, b]) => a.until - b.until)
    return held.map(([backend]) => backend)
  }

  /** Places one for `duration` ms, on a backend that has none of this owner. */
  lay(backend: Backend, rule: string, evidence: TimedEvidence, duration: number): void {
    const at = this.#epoch()
    const until = this.#balancer.clock.now() + duration
    const held: Held = { veto: undefined, until, timer: undefined, evidence: { ...evidence, until: at + duration } }
    // Before the veto is placed: that may start waiting requests, whose outcome may arrive here at once.
    this.#held.set(backend, held)
    this.#arm(backend, held, duration)
    held.veto = this.#balancer.veto(backend, {
      by: this.#by,
      reason: rule,
      until: at + duration,
      evidence: held.evidence,
    })
    this.#judge(backend, { at, by: this.#by, good: false, rule, evidence: { ...held.evidence } })
  }

  /** Makes it last at least `duration` ms from now; the timer is adjusted when it fires. */
  extend(backend: Backend, duration: number): void {
    const held = this.#held.get(backend)
    const until = this.#balancer.clock.now() + duration
    if (held === undefined || until <= held.until) return
    held.until = until
    held.evidence.until = this.#epoch() + duration
    if (held.veto !== undefined) held.veto.until = held.evidence.until
  }

  /** Ends it with a reason; false if there was none. */
  lift(backend: Backend, rule: string): boolean {
    const held = this.#remove(backend)
    if (held === undefined) return false
    this.#onLift(backend)
    held.veto?.lift()
    this.#judge(backend, { at: this.#epoch(), by: this.#by, good: true, rule, evidence: { ...held.evidence } })
    return true
  }

  /** Cleans up vetoes that other code has lifted. */
  reconcile(): void {
    for (const [backend, { veto }] of this.#held) {
      if (veto !== undefined && !backend.vetoes.includes(veto)) this.lift(backend, 'its veto was lifted by other code')
    }
  }

  /** Ends it without a report: the backend was removed, or the checks have stopped. */
  drop(backend: Backend): void {
    this.#remove(backend)?.veto?.lift()
  }

  #remove(backend: Backend): Held | undefined {
    const held = this.#held.get(backend)
    if (held === undefined) return undefined
    this.#held.delete(backend)
    this.#balancer.clock.clearTimeout(held.timer)
    return held
  }

  #arm(backend: Backend, held: Held, delay: number): void {
    held.timer = this.#balancer.clock.setTimeout(() => {
      const rest = held.until - this.#balancer.clock.now()
      if (rest < negligible) this.lift(backend, this.#by === 'pressure' ? 'pause is over' : 'ejection time is over')
      else this.#arm(backend, held, rest)
    }, delay)
  }
}

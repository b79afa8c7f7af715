/** How a call ended; undefined says nothing about what was called. */
export type Verdict = boolean | undefined

/** Hears how a call ended, once; `duration` and `at` in ms. */
export type Report = (call: Call, verdict: Verdict, duration: number | undefined, at: number | undefined) => void

/**
 * A call that a circuit has admitted. It belongs to the state it began in: if that has passed when it ends, it moves
 * nothing. The first of its endings counts, any later one does nothing.
 */
export class Call {
  /** On the circuit's clock, in ms. */
  readonly startedAt: number
  /** Which state of the circuit it belongs to: `circuit.epoch` when it began. */
  readonly epoch: number
  /** It holds one of the trial slots of a half-open circuit, until it ends or is overdue. */
  readonly isTrial: boolean
  #report: Report | undefined
  #ask: (() => number | undefined) | undefined

  constructor(report: Report, startedAt: number, epoch: number, isTrial: boolean) {
    this.#report = report
    this.startedAt = startedAt
    this.epoch = epoch
    this.isTrial = isTrial
  }

  /**
   * Its time begins later than the call itself: when `ask` says (ms, on the circuit's clock), or undefined as long as that
   * has not happened. For whoever is being called is not late before it has been told everything. `ask` is called only
   * when a trial would be overdue, or ends without a duration: a trial whose time has not begun by then gives its slot to
   * the next, and how it ends still counts for as long as the circuit is half-open.
   */
  measureFrom(ask: () => number | undefined): void {
    this.#ask = ask
  }

  /** When its time began, on the circuit's clock (ms); undefined if it has not yet. See `measureFrom`. */
  get beganAt(): number | undefined {
    return this.#ask === undefined ? this.startedAt : this.#ask()
  }

  /** It went well, after `duration` ms (default: since its time began), at `at` on the circuit's clock (default: now). */
  succeed(duration?: number, at?: number): void {
    this.#end(true, duration, at)
  }

  /** It failed; see `succeed`. */
  fail(duration?: number, at?: number): void {
    this.#end(false, duration, at)
  }

  /** It says nothing: whoever called has lost interest. A trial gives its slot back. */
  withdraw(at?: number): void {
    this.#end(undefined, 0, at)
  }

  #end(verdict: Verdict, duration: number | undefined, at: number | undefined): void {
    const report = this.#report
    this.#report = undefined
    report?.(this, verdict, duration, at)
  }
}

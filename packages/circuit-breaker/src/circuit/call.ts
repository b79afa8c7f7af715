/** How a call ended; undefined = does not count. */
export type Verdict = boolean | undefined

/** Called once with how a call ended; `duration` and `at` in ms. */
export type Report = (call: Call, verdict: Verdict, duration: number | undefined, at: number | undefined) => void

/**
 * A call that a circuit has admitted. It belongs to the state in which it began: if the state has changed when it ends,
 * it has no effect. Only the first end of a call counts.
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
   * For a call whose time begins later than the call itself, e.g. after an upload: `ask` returns when it began (ms, on
   * the circuit's clock), or undefined if it has not yet. `ask` is called only when a trial would be overdue, or ends
   * without a duration. A trial whose time has not begun by then passes its slot on, and its end still counts while the
   * circuit is half-open.
   */
  measureFrom(ask: () => number | undefined): void {
    this.#ask = ask
  }

  /** When its time began, on the circuit's clock (ms); undefined if it has not yet. See `measureFrom`. */
  get beganAt(): number | undefined {
    return this.#ask === undefined ? this.startedAt : this.#ask()
  }

  /**
   * It succeeded, after `duration` ms (default: since its time began), at `at` on the circuit's clock (default: now).
   */
  succeed(duration?: number, at?: number): void {
    this.#end(true, duration, at)
  }

  /** It failed; see `succeed`. */
  fail(duration?: number, at?: number): void {
    this.#end(false, duration, at)
  }

  /** It does not count, e.g. because the caller has cancelled it. A trial gives its slot back. */
  withdraw(at?: number): void {
    this.#end(undefined, 0, at)
  }

  #end(verdict: Verdict, duration: number | undefined, at: number | undefined): void {
    const report = this.#report
    this.#report = undefined
    report?.(this, verdict, duration, at)
  }
}

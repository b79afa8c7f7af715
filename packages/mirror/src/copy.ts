import type { Dispatcher } from 'undici'
import { outcomeOfError, outcomeOfStatus, type CopyOutcome } from './outcome.ts'

/** A source of time, as far as needed here; in ms. */
interface CopyClock {
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
}

/** The limits of one copy. */
export interface CopyLimits {
  readonly isSecure: boolean
  /** For all of it, in ms. */
  readonly timeout: number
  /** In bytes. */
  readonly maxResponse: number
}

/** Told of the end, exactly once. */
type OnEnd = (outcome: CopyOutcome, error: unknown) => void

/** One copy on its way: undici's handler. Its response is counted and discarded. */
export class Copy implements Dispatcher.DispatchHandler {
  readonly #limits: CopyLimits
  readonly #clock: CopyClock
  readonly #onEnd: OnEnd
  readonly #timer: unknown
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #received = 0
  /** Why we have broken it off. */
  #cut: CopyOutcome | undefined
  #hasEnded = false

  constructor(limits: CopyLimits, clock: CopyClock, onEnd: OnEnd) {
    this.#limits = limits
    this.#clock = clock
    this.#onEnd = onEnd
    this.#timer = clock.setTimeout(() => this.#breakOff('timeout'), limits.timeout)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#cut !== undefined) this.#abort(this.#cut)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    // Those below 200 come before the one that counts.
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#received += chunk.length
    if (this.#received > this.#limits.maxResponse) this.#breakOff('too-large')
  }

  onResponseEnd(): void {
    this.#end(outcomeOfStatus(this.#status), undefined)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: unknown): void {
    this.#end(this.#cut ?? outcomeOfError(error, this.#controller !== undefined, this.#limits.isSecure), error)
  }

  #breakOff(outcome: CopyOutcome): void {
    if (this.#hasEnded || this.#cut !== undefined) return
    this.#cut = outcome
    // While its connection is being opened there is nothing to abort; that has a time limit of its own.
    this.#abort(outcome)
  }

  #abort(outcome: CopyOutcome): void {
    this.#controller?.abort(new Error(`the copy was broken off: ${outcome}`))
  }

  #end(outcome: CopyOutcome, error: unknown): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#clock.clearTimeout(this.#timer)
    this.#onEnd(outcome, error)
  }
}

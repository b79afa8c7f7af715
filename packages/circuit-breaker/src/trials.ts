import type { Call } from './call.ts'

/** The trials of a half-open circuit: so many run at once, and each gives its slot back however it ends. */
export class Trials {
  /** How many have succeeded since it became half-open. */
  succeeded = 0
  /** The oldest first. */
  #running: Call[] = []
  readonly #slots: number
  readonly #timeout: number

  /** `slots` trials at once; one that takes longer than `timeout` ms (0 = any) is overdue. */
  constructor(slots: number, timeout: number) {
    this.#slots = slots
    this.#timeout = timeout
  }

  get running(): number {
    return this.#running.length
  }

  get isFull(): boolean {
    return this.#running.length >= this.#slots
  }

  /** When the oldest is overdue, on the circuit's clock (ms); Infinity = never. */
  get dueAt(): number {
    const oldest = this.#running[0]
    return oldest === undefined || this.#timeout === 0 ? Infinity : oldest.startedAt + this.#timeout
  }

  begin(call: Call): void {
    this.#running.push(call)
  }

  end(call: Call): void {
    this.#running = this.#running.filter((one) => one !== call)
  }

  reset(): void {
    this.#running = []
    this.succeeded = 0
  }
}

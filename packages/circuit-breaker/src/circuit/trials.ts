import type { Call } from './call.ts'

/** The trials of a half-open circuit: a limited number at once; each gives its slot back however it ends. */
export class Trials {
  /** How many have succeeded since it became half-open. */
  succeeded = 0
  /** When each running trial is due, on the circuit's clock (ms). */
  readonly #running = new Map<Call, number>()
  #slots: number
  #timeout: number

  /** `slots` trials at once; one that takes longer than `timeout` ms (0 = any) is overdue. */
  constructor(slots: number, timeout: number) {
    this.#slots = slots
    this.#timeout = timeout
  }

  /** The same from now on; those that run are due when they were. */
  configure(slots: number, timeout: number): void {
    this.#slots = slots
    this.#timeout = timeout
  }

  get running(): number {
    return this.#running.size
  }

  get isFull(): boolean {
    return this.#running.size >= this.#slots
  }

  /** When the first of them is due, on the circuit's clock (ms); Infinity = never. */
  get dueAt(): number {
    let first = Infinity
    for (const dueAt of this.#running.values()) first = Math.min(first, dueAt)
    return first
  }

  begin(call: Call): void {
    this.#running.set(call, this.#timeout === 0 ? Infinity : call.startedAt + this.#timeout)
  }

  end(call: Call): void {
    this.#running.delete(call)
  }

  /**
   * Handles trials that are due at `at`. If its time began after the call, a trial is due that much later; if it has
   * not begun, the trial passes its slot on. Returns whether one has taken too long.
   */
  pass(at: number): boolean {
    for (const [call, dueAt] of this.#running) {
      if (dueAt > at) continue
      // First of all, so that no slot is lost if `ask` throws.
      this.#running.delete(call)
      const { beganAt } = call
      if (beganAt === undefined || beganAt > at) continue
      const due = beganAt + this.#timeout
      if (!(due > at)) return true
      this.#running.set(call, due)
    }
    return false
  }

  reset(): void {
    this.#running.clear()
    this.succeeded = 0
  }
}

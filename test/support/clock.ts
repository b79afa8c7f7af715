import type { Clock } from '@fastify-balancer/balancer-core'

interface Alarm {
  readonly due: number
  readonly ring: () => void
}

/** A clock that stands still until the test moves it. Callbacks see the time at which they were due. */
export class ManualClock implements Clock {
  #time: number
  // In order of setting, which decides between alarms that are due at the same time.
  readonly #alarms = new Set<Alarm>()

  constructor(time = 0) {
    this.#time = time
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#alarms.size
  }

  /** When the next timer is due; undefined while none is set. */
  get due(): number | undefined {
    return this.#next()?.due
  }

  now(): number {
    return this.#time
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const alarm: Alarm = { due: this.#time + delay, ring: callback }
    this.#alarms.add(alarm)
    return alarm
  }

  clearTimeout(timer: unknown): void {
    this.#alarms.delete(timer as Alarm)
  }

  /** Moves on by `duration` ms; whatever becomes due on the way is called, also what is set on the way. */
  advance(duration: number): void {
    const target = this.#time + duration
    for (let next = this.#next(); next !== undefined && next.due <= target; next = this.#next()) {
      this.#alarms.delete(next)
      this.#time = Math.max(this.#time, next.due)
      next.ring()
    }
    this.#time = target
  }

  /** The process stands still for `duration` ms: time passes, and nobody is called. */
  stop(duration: number): void {
    this.#time += duration
  }

  /** It stands still, and then calls whatever has become due meanwhile, late. */
  pause(duration: number): void {
    this.stop(duration)
    this.advance(0)
  }

  #next(): Alarm | undefined {
    let earliest: Alarm | undefined
    for (const alarm of this.#alarms) if (earliest === undefined || alarm.due < earliest.due) earliest = alarm
    return earliest
  }
}

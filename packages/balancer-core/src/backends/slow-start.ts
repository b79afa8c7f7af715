import type { Backend } from './backend.ts'
import type { BackendSet } from './backend-set.ts'
import type { Clock } from '../clock.ts'

/**
 * The first share of a new backend, and the number of steps in which it grows. (Envoy's `min_weight_percent`; HAProxy's
 * twentieths.)
 */
const least = 0.1
const steps = 20

/**
 * Ramps up the weight of a backend that is new or back in rotation: its caches are cold, its code is not compiled.
 * Linear from 10 % over `window` ms (Envoy's slow start, aggression 1). The initial backends start at full weight, as
 * in HAProxy: there is no other to take their share.
 */
export class SlowStart {
  readonly #clock: Clock
  #window: number
  readonly #onChange: () => void
  readonly #since = new Map<Backend, number>()
  #timer: unknown
  #stopped = false

  /** `window` in ms, 0 = none; `onChange` is called when weights have grown. */
  constructor(clock: Clock, window: number, onChange: () => void) {
    this.#clock = clock
    this.#window = window
    this.#onChange = onChange
  }

  /** Takes another time from now on (ms, 0 = none), those that have begun included. */
  configure(window: number): void {
    if (window === this.#window || this.#stopped) return
    this.#window = window
    if (this.#since.size === 0) return
    this.#clock.clearTimeout(this.#timer)
    this.#warm()
  }

  /** Finds the new backends of a set that is about to be used. */
  observe(now: BackendSet, before: BackendSet): void {
    if (this.#window === 0 || this.#stopped || now.available === before.available) return
    const known = new Set(before.available)
    for (const backend of now.available) if (!known.has(backend)) this.#begin(backend)
  }

  /** Restarts the ramp of one backend, e.g. after a trial. Does nothing while it has a veto. */
  restart(backend: Backend): void {
    if (this.#window === 0 || this.#stopped || !backend.available) return
    this.#begin(backend)
    this.#onChange()
  }

  stop(): void {
    this.#stopped = true
    this.#clock.clearTimeout(this.#timer)
  }

  #begin(backend: Backend): void {
    backend.warm(least)
    this.#since.set(backend, this.#clock.now())
    this.#timer ??= this.#clock.setTimeout(() => this.#warm(), this.#window / steps)
  }

  #warm(): void {
    const now = this.#clock.now()
    for (const [backend, since] of this.#since) {
      const part = this.#window === 0 ? 1 : Math.min(Math.max((now - since) / this.#window, least), 1)
      backend.warm(part)
      if (part === 1) this.#since.delete(backend)
    }
    this.#timer = this.#since.size === 0 ? undefined : this.#clock.setTimeout(() => this.#warm(), this.#window / steps)
    this.#onChange()
  }
}

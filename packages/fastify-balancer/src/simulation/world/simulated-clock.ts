// Room `simulation/world`: what is simulated in place of the world around a balancer: time, chance, and servers.
import type { Clock } from '@fastify-balancer/balancer-core'

/** Something that happens at a time. */
export interface Happening {
  /** On the clock, in ms. */
  due: number
  /** Of two at the same time, the one that was planned first happens first. */
  order: number
  happen(): void
}

class Timer implements Happening {
  due = 0
  order = 0
  #callback: (() => void) | undefined

  readonly #clock: SimulatedClock

  constructor(clock: SimulatedClock, callback: () => void) {
    this.#clock = clock
    this.#callback = callback
  }

  happen(): void {
    const callback = this.#callback
    if (callback === undefined) return
    this.#callback = undefined
    this.#clock.hasRung = true
    callback()
  }

  cancel(): void {
    this.#callback = undefined
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.due < other.due || (one.due === other.due && one.order < other.order)
}

/** The core reads a time of 0 as "not yet". */
const beginning = 1000

/** Time that passes only when the next thing happens: a clock for a balancer, and the plan of all that is to come. */
export class SimulatedClock implements Clock {
  /** A timer has rung, and promises may depend on it. The stage sets it back once they have been settled. */
  hasRung = false
  #now = beginning
  #order = 0
  /** When the traffic began; undefined before. */
  #start: number | undefined
  /** A binary heap: the next one is the first. */
  readonly #plan: Happening[] = []

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const timer = new Timer(this, callback)
    this.plan(timer, Math.max(0, delay))
    return timer
  }

  clearTimeout(timer: unknown): void {
    if (timer instanceof Timer) timer.cancel()
  }

  /** The traffic begins: scenarios count from here. */
  start(): void {
    this.#start = this.#now
  }

  /** The time of the scenario, in ms; 0 before the traffic begins. */
  get elapsed(): number {
    return this.#start === undefined ? 0 : this.#now - this.#start
  }

  /** Lets something happen after `delay` ms. It must not be planned already. */
  plan(happening: Happening, delay: number): void {
    happening.due = this.#now + delay
    happening.order = this.#order++
    const plan = this.#plan
    let index = plan.length
    plan.push(happening)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(happening, plan[parent]!)) break
      plan[index] = plan[parent]!
      index = parent
    }
    plan[index] = happening
  }

  /** The next thing happens. False if there is none until `limit`, a time of the scenario in ms: then it is that time. */
  step(limit = Infinity): boolean {
    const next = this.#plan[0]
    const end = limit + (this.#start ?? 0)
    if (next === undefined || next.due > end) {
      if (end < Infinity) this.#now = end
      return false
    }
    this.#removeFirst()
    this.#now = next.due
    next.happen()
    return true
  }

  #removeFirst(): void {
    const plan = this.#plan
    const last = plan.pop()!
    const { length } = plan
    if (length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= length) break
      if (child + 1 < length && isBefore(plan[child + 1]!, plan[child]!)) child++
      if (!isBefore(plan[child]!, last)) break
      plan[index] = plan[child]!
      index = child
    }
    plan[index] = last
  }
}

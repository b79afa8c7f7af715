import { performance } from 'node:perf_hooks'

/**
 * Source of time. All durations in this package are in milliseconds. Tests and simulations pass their own; timers never
 * keep the process alive.
 */
export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean anything. */
  now(): number
  /**
   * Calls back once after `delay` ms, which may exceed Node's limit for timers; returns the handle for `clearTimeout`.
   */
  setTimeout(callback: () => void, delay: number): unknown
  /** Cancels a timer that has not fired; does nothing for `null`. */
  clearTimeout(timer: unknown): void
  /** For a clock that stops while the process is paused: called with the length of each pause (ms) when it is over. */
  readonly onPause?: Set<(duration: number) => void>
}

/** Node's timers count to 2³¹ − 1 ms, which is 24.8 days; longer ones would fire at once. */
const longest = 2_147_483_647

/** How often a clock checks that the process runs (ms), while timers are set. */
const beat = 100
/** A check that comes later than this (ms) means that the process was paused. */
const tolerance = 100
/** A single timer that is later than this (ms) may have kept the event loop from reading what has arrived. */
const slack = 20
/** A late timer waits again by its delay, at most this long (ms), so that data that arrived meanwhile is read first. */
const grace = 100

/** A timer that counts only time in which the process was running. */
class AwakeTimer {
  readonly #clock: AwakeClock
  readonly #callback: () => void
  /** Time after the current piece, in ms. */
  #left = 0
  #due = 0
  #pausedBefore = 0
  #hasWaited = false
  #timer: unknown

  constructor(clock: AwakeClock, callback: () => void, delay: number) {
    this.#clock = clock
    this.#callback = callback
    this.#wait(delay)
  }

  clear(): void {
    if (this.#timer === undefined) return
    this.#clock.source.clearTimeout(this.#timer)
    this.#end()
  }

  #wait(duration: number): void {
    const { source } = this.#clock
    const piece = Math.min(Math.max(duration, 0), longest)
    this.#left = Math.max(0, duration - piece)
    this.#due = source.now() + piece
    this.#pausedBefore = this.#clock.paused
    this.#timer = source.setTimeout(() => this.#ring(), piece)
  }

  #ring(): void {
    const clock = this.#clock
    // This notices a pause that has just ended.
    clock.now()
    const late = Math.max(0, clock.source.now() - this.#due)
    const paused = clock.paused - this.#pausedBefore
    let left = this.#left + Math.max(0, paused - late)
    if (late > slack && !this.#hasWaited) {
      // Node runs timers before it reads sockets: a response that arrived in time must be read first.
      this.#hasWaited = true
      left += Math.min(late, grace)
    }
    if (left > 0) return this.#wait(left)
    this.#end()
    this.#callback()
  }

  #end(): void {
    this.#timer = undefined
    this.#clock.waiting--
  }
}

/**
 * Time in which this process was running. While it is paused (SIGSTOP, a frozen machine, one long task, a long garbage
 * collection), the clock stops, so that no time limit ends a request whose response has arrived meanwhile. A pause is
 * noticed if it is longer than 0.2 s, and up to 0.1 s of it may still count.
 */
export class AwakeClock implements Clock {
  readonly source: Clock
  /** Number of timers that are set. */
  waiting = 0
  /** Total length of all pauses so far, in ms. */
  paused = 0
  readonly onPause = new Set<(duration: number) => void>()
  readonly #beats: Pick<Clock, 'setTimeout'>
  /** When the next check is due, on the source's clock; Infinity while no timer is set. */
  #due = Infinity
  #seen = 0

  /** `beats` provides the timers for the checks. Default: those of the source. */
  constructor(source: Clock, beats: Pick<Clock, 'setTimeout'> = source) {
    this.source = source
    this.#beats = beats
  }

  now(): number {
    const time = this.source.now()
    if (time > this.#due + tolerance) this.#resume(time)
    this.#seen = time
    return time - this.paused
  }

  setTimeout(callback: () => void, delay: number): unknown {
    this.waiting++
    if (this.#due === Infinity) this.#beat()
    return new AwakeTimer(this, callback, delay)
  }

  clearTimeout(timer: unknown): void {
    if (timer instanceof AwakeTimer) timer.clear()
  }

  #beat(): void {
    this.#due = this.source.now() + beat
    this.#beats.setTimeout(() => {
      this.now()
      if (this.waiting > 0) this.#beat()
      else this.#due = Infinity
    }, beat)
  }

  #resume(time: number): void {
    // Part of each pause counts: otherwise, on a machine where every check is late, no time limit would ever end.
    const duration = time - Math.max(this.#seen, this.#due)
    this.#due = time + beat
    this.#seen = time
    this.paused += duration
    for (const listener of this.onPause) listener(duration)
  }
}

const realTimeout = setTimeout

/** The time of this process, without its pauses. */
export const systemClock = new AwakeClock(
  {
    now: () => performance.now(),
    setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  },
  { setTimeout: (callback, delay) => realTimeout(callback, delay).unref() },
)

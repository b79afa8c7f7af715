import { performance } from 'node:perf_hooks'

/**
 * Where time comes from. All durations in this package are milliseconds.
 * Tests and simulations pass their own; timers never keep the process alive.
 */
export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean anything. */
  now(): number
  /** Calls back once after `delay` ms, however many; answers what `clearTimeout` takes. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Takes back a timer that has not fired; does nothing for `null`. */
  clearTimeout(timer: unknown): void
  /** Where it stands still while the process cannot act: called with the length of each pause (ms) when that is over. */
  readonly onPause?: Set<(duration: number) => void>
}

/** Node's timers count to 2³¹ − 1 ms, which is 24.8 days; longer ones would fire at once. */
const longest = 2_147_483_647

/** How often a clock looks whether the process runs (ms), as long as anybody waits for a time. */
const beat = 100
/** A beat that is later than this (ms) says that the process could not act for a while. */
const tolerance = 100
/** A single timer that is later than this (ms) may have kept the event loop from reading what has arrived. */
const slack = 20
/** A timer that comes late waits for as long again, at most so long (ms), while what has arrived meanwhile is read. */
const grace = 100

/** A timer that counts only time in which the process could act, in as many pieces as it takes. */
class AwakeTimer {
  readonly #clock: AwakeClock
  readonly #callback: () => void
  /** What follows after the present piece. */
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
    // It takes notice of a pause that has just ended.
    clock.now()
    const late = Math.max(0, clock.source.now() - this.#due)
    const paused = clock.paused - this.#pausedBefore
    let left = this.#left + Math.max(0, paused - late)
    if (late > slack && !this.#hasWaited) {
      // Timers come before what the sockets have to tell: an answer that arrived in time must be heard first.
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
 * Time in which this process could act. While it is stopped, starved or busy with one long task (SIGSTOP, a frozen
 * machine, a long garbage collection), the clock stands still, so that no limit runs out on somebody who has answered
 * meanwhile. A pause is seen once it is longer than 0.2 s, and up to 0.1 s of it may be counted all the same.
 */
export class AwakeClock implements Clock {
  readonly source: Clock
  /** How many timers are set. */
  waiting = 0
  /** How long it has stood still so far, in ms. */
  paused = 0
  readonly onPause = new Set<(duration: number) => void>()
  readonly #beats: Pick<Clock, 'setTimeout'>
  /** When the next beat is due, on the source; never while nobody waits for a time. */
  #due = Infinity
  #seen = 0

  /** `beats` has timers for looking whether the process runs; those of the source, unless they are not real. */
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
    // A part of each pause counts, or where every beat is late, no limit would ever end.
    const duration = time - Math.max(this.#seen, this.#due)
    this.#due = time + beat
    this.#seen = time
    this.paused += duration
    for (const listener of this.onPause) listener(duration)
  }
}

const realTimeout = setTimeout

/** The process's own time, as far as it could act. */
export const systemClock = new AwakeClock(
  {
    now: () => performance.now(),
    setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  },
  { setTimeout: (callback, delay) => realTimeout(callback, delay).unref() },
)

import { performance } from 'node:perf_hooks'

/**
 * Where time comes from. All durations in this package are milliseconds.
 * Tests and simulations pass their own; timers never keep the process alive.
 */
export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean anything. */
  now(): number
  /** Calls back once after `delay` ms; answers what `clearTimeout` takes. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Takes back a timer that has not fired; does nothing for `null`. */
  clearTimeout(timer: unknown): void
}

/** The process's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
}

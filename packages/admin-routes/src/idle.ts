import type { Attempt, Backend, Clock } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

const attemptEnd = 'balancer-core:attempt:end'

/**
 * Those who wait until a backend is idle. Attempts are looked at only while somebody waits; whatever ends the waiting
 * leaves nothing behind.
 */
export class IdleWatch {
  readonly #waiting = new Set<() => void>()

  /** So many wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** Resolves when the backend has nothing in flight, after `timeout` ms, or when `onGone`'s callback is called. */
  wait(backend: Backend, clock: Clock, timeout: number, onGone: (leave: () => void) => void): Promise<void> {
    if (backend.inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const look = (message: unknown) => {
        if ((message as { attempt: Attempt }).attempt.backend === backend && backend.inFlight === 0) leave()
      }
      const leave = () => {
        if (!this.#waiting.delete(leave)) return
        clock.clearTimeout(timer)
        unsubscribe(attemptEnd, look)
        resolve()
      }
      this.#waiting.add(leave)
      const timer = clock.setTimeout(leave, timeout)
      subscribe(attemptEnd, look)
      onGone(leave)
    })
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const leave of this.#waiting) leave()
  }
}

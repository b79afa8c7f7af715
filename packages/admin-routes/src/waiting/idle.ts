// Room `waiting`: requests that wait until a backend or the server is idle.
import type { Clock } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { TooManyWaitingError } from './errors.ts'

/** How much longer than a request waits another instance may take to answer (ms). */
export const longerToAnswer = 1000

/** Most requests that may wait at once. */
const most = 100

/**
 * Requests that wait until a backend or the server is idle. It listens to channels only while a request waits, and cleans
 * up however the wait ends.
 */
export class IdleWatch {
  readonly #channels: readonly string[]
  readonly #waiting = new Set<() => void>()

  /** `channels`: report each ended attempt, or request. */
  constructor(...channels: ('balancer-core:attempt:end' | 'balancer-core:exchange:end')[]) {
    this.#channels = channels
  }

  /** Number of waiting requests. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Resolves when `isIdle` holds, after `timeout` ms, or when `onGone`'s callback is called.
   * @throws TooManyWaitingError
   */
  wait(isIdle: () => boolean, clock: Clock, timeout: number, onGone: (leave: () => void) => void): Promise<void> {
    if (isIdle()) return Promise.resolve()
    if (this.#waiting.size >= most) throw new TooManyWaitingError(most)
    return new Promise((resolve) => {
      const look = () => {
        if (isIdle()) leave()
      }
      const leave = () => {
        if (!this.#waiting.delete(leave)) return
        clock.clearTimeout(timer)
        for (const channel of this.#channels) unsubscribe(channel, look)
        resolve()
      }
      this.#waiting.add(leave)
      const timer = clock.setTimeout(leave, timeout)
      for (const channel of this.#channels) subscribe(channel, look)
      onGone(leave)
    })
  }

  /** Ends all waits. */
  close(): void {
    for (const leave of this.#waiting) leave()
  }
}

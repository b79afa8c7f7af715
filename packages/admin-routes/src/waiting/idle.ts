import type { Clock } from '@fastify-balancer/balancer-core'
import type { FastifyReply } from 'fastify'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { isGone } from './gone.ts'

/**
 * Those who wait until something has nothing left to do. What a channel tells is looked at only while somebody waits;
 * whatever ends the waiting leaves nothing behind.
 */
export class IdleWatch {
  readonly #channel: string
  readonly #waiting = new Set<() => void>()

  /** The channel on which the ends of what they wait for are told. */
  constructor(channel: 'balancer-core:attempt:end' | 'balancer-core:exchange:end') {
    this.#channel = channel
  }

  /** So many wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** Resolves when `isIdle` holds, after `timeout` ms, or when `onGone`'s callback is called. */
  wait(isIdle: () => boolean, clock: Clock, timeout: number, onGone: (leave: () => void) => void): Promise<void> {
    if (isIdle()) return Promise.resolve()
    return new Promise((resolve) => {
      const look = () => {
        if (isIdle()) leave()
      }
      const leave = () => {
        if (!this.#waiting.delete(leave)) return
        clock.clearTimeout(timer)
        unsubscribe(this.#channel, look)
        resolve()
      }
      this.#waiting.add(leave)
      const timer = clock.setTimeout(leave, timeout)
      subscribe(this.#channel, look)
      onGone(leave)
    })
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const leave of this.#waiting) leave()
  }
}

/** Calls back when whoever waits for an answer has gone. */
export function whenGone({ raw }: FastifyReply, leave: () => void): void {
  if (isGone(raw)) leave()
  else raw.once('close', leave)
}

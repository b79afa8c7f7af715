import { spoken } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'

/** At most one line in so many ms: any peer could fill the log otherwise. */
const quiet = 10_000

/** Logs connections that were closed because of their header. */
export class FaultLog {
  readonly #log: FastifyBaseLogger | undefined
  readonly #now: () => number
  #lastAt = -Infinity
  #untold = 0

  /** `now` is a monotonic clock in ms. */
  constructor(log: FastifyBaseLogger | undefined, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  /** One more, of this address. */
  add(peer: string | undefined, fault: string): void {
    const now = this.#now()
    if (now - this.#lastAt < quiet) {
      this.#untold++
      return
    }
    const more =
      this.#untold === 0 ? '' : `; ${this.#untold} more since the last such line, ${spoken(now - this.#lastAt)} ago`
    this.#log?.warn({ peer }, `closed a connection of ${peer ?? 'a Unix socket'}: ${fault}${more}`)
    this.#lastAt = now
    this.#untold = 0
  }
}

import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import type { Inconclusive, ProbeReport } from '../probe/probing.ts'

/** After this long without any (ms), the next one is logged again. */
const quiet = 60_000

const words: Readonly<Record<Inconclusive, string>> = {
  'out-of-sockets':
    'this process is out of sockets: probes could not be sent and do not count; backends keep their state',
  pause: 'this process was paused: probes do not count; backends keep their state',
}

/** Logs why probes do not count: once for many of them. */
export class InconclusiveLog {
  readonly #clock: Clock
  readonly #log: FastifyBaseLogger | undefined
  readonly #lastAt = new Map<Inconclusive, number>()

  constructor(clock: Clock, log: FastifyBaseLogger | undefined) {
    this.#clock = clock
    this.#log = log
  }

  add(balancer: string, backend: Backend, why: Inconclusive, { sent, received }: ProbeReport): void {
    const now = this.#clock.now()
    const before = this.#lastAt.get(why)
    this.#lastAt.set(why, now)
    if (before !== undefined && now - before < quiet) return
    this.#log?.warn({ balancer, backend: backend.id, sent, received }, words[why])
  }
}

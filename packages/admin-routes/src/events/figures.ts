import type { Attempt, Balancer, Clock, ExchangeView } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { Extensions } from '../extensions.ts'
import type { FiguresEvent } from './figures-event.ts'
import { Measurement } from './measurement.ts'

const exchangeEnd = 'balancer-core:exchange:end'
const attemptEnd = 'balancer-core:attempt:end'

/** How often figures are sent (ms). */
const period = 1000

/**
 * Measures the traffic of a server's balancers, only while a client wants figures; otherwise it costs a request nothing.
 */
export class Figures {
  readonly #app: FastifyInstance
  readonly #extensions: Extensions
  readonly #clock: Clock
  readonly #wallClock: () => number
  readonly #tell: (figures: FiguresEvent) => boolean
  readonly #measured = new Map<string, { readonly balancer: Balancer; readonly measurement: Measurement }>()
  #timer: unknown

  /** `tell` returns false when no client wants figures any more. */
  constructor(
    app: FastifyInstance,
    extensions: Extensions,
    clock: Clock,
    wallClock: () => number,
    tell: (figures: FiguresEvent) => boolean,
  ) {
    this.#app = app
    this.#extensions = extensions
    this.#clock = clock
    this.#wallClock = wallClock
    this.#tell = tell
  }

  /** Starts measuring, if not started yet. The first figures come after one period. */
  start(): void {
    if (this.#timer !== undefined) return
    subscribe(exchangeEnd, this.#onExchangeEnd)
    subscribe(attemptEnd, this.#onAttemptEnd)
    this.#look()
    this.#wait()
  }

  stop(): void {
    if (this.#timer === undefined) return
    unsubscribe(exchangeEnd, this.#onExchangeEnd)
    unsubscribe(attemptEnd, this.#onAttemptEnd)
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#measured.clear()
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#wait()
      this.#look()
      const process = this.#extensions.process()
      const at = this.#wallClock()
      for (const { measurement } of this.#measured.values()) {
        if (this.#tell({ ...measurement.take(at), ...(process !== undefined && { process }) })) continue
        this.stop()
        return
      }
    }, period)
  }

  /** Also picks up balancers that were registered later. */
  #look(): void {
    for (const [name, balancer] of this.#app.balancers)
      if (!this.#measured.has(name)) this.#measured.set(name, { balancer, measurement: new Measurement(balancer) })
  }

  readonly #onExchangeEnd = (message: unknown) => {
    const { exchange } = message as { exchange: ExchangeView }
    // Channels are process-wide, and another server may have a balancer of the same name.
    if (this.#app.balancerServers.has(exchange.request.server.server))
      this.#measured.get(exchange.balancerName)?.measurement.exchangeEnded(exchange)
  }

  readonly #onAttemptEnd = (message: unknown) => {
    const { attempt } = message as { attempt: Attempt }
    if (this.#app.balancerServers.has(attempt.exchange.request.server.server))
      this.#measured.get(attempt.exchange.balancerName)?.measurement.attemptEnded(attempt)
  }
}

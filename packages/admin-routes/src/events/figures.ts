import type { Attempt, Balancer, Clock, ExchangeView } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { Extensions } from '../extensions.ts'
import type { FiguresEvent } from './figures-event.ts'
import { Measurement } from './measurement.ts'

const exchangeEnd = 'balancer-core:exchange:end'
const tunnelStart = 'balancer-core:tunnel:start'
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
    subscribe(tunnelStart, this.#onTunnelStart)
    subscribe(attemptEnd, this.#onAttemptEnd)
    this.#look()
    this.#wait()
  }

  stop(): void {
    if (this.#timer === undefined) return
    unsubscribe(exchangeEnd, this.#onExchangeEnd)
    unsubscribe(tunnelStart, this.#onTunnelStart)
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
    // Its handshake is the request, which has been counted when the tunnel was opened.
    if (exchange.tunnel === undefined) this.#of(exchange)?.exchangeEnded(exchange, exchange.endedAt)
  }

  readonly #onTunnelStart = (message: unknown) => {
    const { exchange } = message as { exchange: ExchangeView }
    this.#of(exchange)?.exchangeEnded(exchange, exchange.tunnel!.openedAt)
  }

  readonly #onAttemptEnd = (message: unknown) => {
    const { attempt } = message as { attempt: Attempt }
    this.#of(attempt.exchange)?.attemptEnded(attempt)
  }

  /** Channels are process-wide, and another server may have a balancer of the same name. */
  #of({ request, balancerName }: Pick<ExchangeView, 'request' | 'balancerName'>): Measurement | undefined {
    if (!this.#app.balancerServers.has(request.server.server)) return undefined
    return this.#measured.get(balancerName)?.measurement
  }
}

import type { Attempt, ExchangeView } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** Is told what has ended at one balancer. */
export interface EndListener {
  /** `endedAt` on the clock of the balancer: a request for a tunnel ends with its handshake. */
  exchangeEnded(exchange: ExchangeView, endedAt: number): void
  attemptEnded(attempt: Attempt): void
}

const exchangeEnd = 'balancer-core:exchange:end'
const tunnelStart = 'balancer-core:tunnel:start'
const attemptEnd = 'balancer-core:attempt:end'

/** Tells listeners what has ended at the balancers of one server. It costs nothing before `start` and after `stop`. */
export class TrafficWatch {
  readonly #app: FastifyInstance
  readonly #of: (balancer: string) => EndListener | undefined

  /** `of` finds the listener of a balancer by its name. */
  constructor(app: FastifyInstance, of: (balancer: string) => EndListener | undefined) {
    this.#app = app
    this.#of = of
  }

  start(): void {
    subscribe(exchangeEnd, this.#onExchangeEnd)
    subscribe(tunnelStart, this.#onTunnelStart)
    subscribe(attemptEnd, this.#onAttemptEnd)
  }

  stop(): void {
    unsubscribe(exchangeEnd, this.#onExchangeEnd)
    unsubscribe(tunnelStart, this.#onTunnelStart)
    unsubscribe(attemptEnd, this.#onAttemptEnd)
  }

  readonly #onExchangeEnd = (message: unknown) => {
    const { exchange } = message as { exchange: ExchangeView }
    // Its handshake is the request, which has been counted when the tunnel was opened.
    if (exchange.tunnel === undefined) this.#listener(exchange)?.exchangeEnded(exchange, exchange.endedAt)
  }

  readonly #onTunnelStart = (message: unknown) => {
    const { exchange } = message as { exchange: ExchangeView }
    this.#listener(exchange)?.exchangeEnded(exchange, exchange.tunnel!.openedAt)
  }

  readonly #onAttemptEnd = (message: unknown) => {
    const { attempt } = message as { attempt: Attempt }
    this.#listener(attempt.exchange)?.attemptEnded(attempt)
  }

  /** Channels are process-wide, and another server may have a balancer of the same name. */
  #listener({ request, balancerName }: Pick<ExchangeView, 'request' | 'balancerName'>): EndListener | undefined {
    return this.#app.balancerServers.has(request.server.server) ? this.#of(balancerName) : undefined
  }
}

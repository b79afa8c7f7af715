// Room `tracing`: OpenTelemetry spans for requests and their attempts.
import type { Attempt, ExchangeView } from '@fastify-balancer/balancer-core'
import type { Tracer } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { ExchangeTrace } from './exchange-trace.ts'
import type { OpenTelemetry } from './open-telemetry.ts'

/** The trace is stored on the exchange itself: a map of such short-lived objects would cost more than all the rest. */
const traceOf = Symbol('fastify-balancer.trace')

interface Traced extends ExchangeView {
  [traceOf]?: { readonly owner: Tracing; readonly spans: ExchangeTrace }
}

const exchangeStart = 'balancer-core:exchange:start'
const exchangeEnd = 'balancer-core:exchange:end'
const tunnelStart = 'balancer-core:tunnel:start'
const attemptStart = 'balancer-core:attempt:start'
const attemptEnd = 'balancer-core:attempt:end'

/** Creates spans for every balancer of one server, from diagnostics channels. */
export class Tracing {
  readonly #app: FastifyInstance
  readonly #api: OpenTelemetry
  readonly #tracer: Tracer
  /** Number of open spans. */
  #open = 0
  #stopped = false
  readonly #onExchangeStart = (message: unknown) => this.#exchangeStarted((message as { exchange: Traced }).exchange)
  readonly #onExchangeEnd = (message: unknown) => this.#exchangeEnded((message as { exchange: Traced }).exchange)
  readonly #onTunnelStart = (message: unknown) => this.#tunnelStarted((message as { exchange: Traced }).exchange)
  readonly #onAttemptStart = (message: unknown) => this.#attemptStarted((message as { attempt: Attempt }).attempt)
  readonly #onAttemptEnd = (message: unknown) => this.#attemptEnded((message as { attempt: Attempt }).attempt)

  /** Uses the global tracer provider, even if it is set later. */
  constructor(app: FastifyInstance, api: OpenTelemetry) {
    this.#app = app
    this.#api = api
    this.#tracer = api.trace.getTracer('@fastify-balancer/metrics')
  }

  start(): void {
    subscribe(exchangeStart, this.#onExchangeStart)
    subscribe(exchangeEnd, this.#onExchangeEnd)
    subscribe(tunnelStart, this.#onTunnelStart)
    subscribe(attemptStart, this.#onAttemptStart)
    subscribe(attemptEnd, this.#onAttemptEnd)
  }

  /** Traces no new requests. Those in progress are traced to their end, so that no span stays open. */
  stop(): void {
    this.#stopped = true
    unsubscribe(exchangeStart, this.#onExchangeStart)
    this.#leaveIfDone()
  }

  #exchangeStarted(exchange: Traced): void {
    // Channels are process-wide, and another server may have a balancer of the same name.
    if (!this.#app.balancerServers.has(exchange.request.server.server)) return
    this.#safely(() => {
      exchange[traceOf] = { owner: this, spans: new ExchangeTrace(this.#api, this.#tracer, exchange) }
      this.#open++
    })
  }

  #attemptStarted(attempt: Attempt): void {
    const spans = this.#spansOf(attempt.exchange)
    if (spans === undefined) return
    this.#open++
    this.#safely(() => spans.attemptStarted(attempt))
  }

  #attemptEnded(attempt: Attempt): void {
    const spans = this.#spansOf(attempt.exchange)
    if (spans === undefined) return
    const version = attempt.backend.protocol === 'http1' ? '1.1' : '2'
    this.#safely(() => spans.attemptEnded(attempt, version))
    this.#close()
  }

  #exchangeEnded(exchange: Traced): void {
    this.#end(exchange, exchange.endedAt)
  }

  /** The span is that of the handshake: one of hours would be sent long after its trace has been read, or never. */
  #tunnelStarted(exchange: Traced): void {
    this.#end(exchange, exchange.tunnel!.openedAt)
    delete exchange[traceOf]
  }

  #end(exchange: Traced, at: number): void {
    const spans = this.#spansOf(exchange)
    if (spans === undefined) return
    this.#safely(() => spans.ended(exchange, at))
    this.#close()
  }

  #spansOf(exchange: Traced): ExchangeTrace | undefined {
    const trace = exchange[traceOf]
    return trace?.owner === this ? trace.spans : undefined
  }

  #close(): void {
    this.#open--
    this.#leaveIfDone()
  }

  #leaveIfDone(): void {
    if (!this.#stopped || this.#open > 0) return
    unsubscribe(exchangeEnd, this.#onExchangeEnd)
    unsubscribe(tunnelStart, this.#onTunnelStart)
    unsubscribe(attemptStart, this.#onAttemptStart)
    unsubscribe(attemptEnd, this.#onAttemptEnd)
  }

  /** An error thrown by a subscriber would crash the process. */
  #safely(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#app.log.error({ err: error }, 'tracing failed')
    }
  }
}

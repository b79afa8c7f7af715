import type { Attempt, ExchangeView } from '@fastify-balancer/balancer-core'
import type { Attributes, Context, Span, TextMapSetter, Tracer } from '@opentelemetry/api'
import { attemptAttributes } from './attempt-attributes.ts'
import { endAttributes } from './ending.ts'
import type { OpenTelemetry } from './open-telemetry.ts'
import { methodName, requestAttributes } from './request-attributes.ts'

/** Lets a propagator set headers of an attempt. */
const intoAttempt: TextMapSetter<Attempt> = {
  set: (attempt, name, value) => attempt.setHeader(name, value),
}

/** The spans of one request: its own, and one for each attempt. */
export class ExchangeTrace {
  readonly #api: OpenTelemetry
  readonly #tracer: Tracer
  /** Offset from the exchange's clock to ms since the epoch. */
  readonly #epoch: number
  readonly #span: Span
  readonly #context: Context
  /** By their number. */
  readonly #attempts: Span[] = []

  /**
   * Starts the span of the request: a child of the active span, or else of the one in the client's `traceparent`.
   */
  constructor(api: OpenTelemetry, tracer: Tracer, exchange: ExchangeView) {
    const { method, headers, startedAt, request, balancerName } = exchange
    this.#api = api
    this.#tracer = tracer
    this.#epoch = Date.now() - startedAt
    const active = api.context.active()
    const attributes = requestAttributes(exchange)
    const startTime = this.#epoch + startedAt
    if (api.trace.getSpan(active) !== undefined) {
      const options = { kind: api.SpanKind.INTERNAL, attributes, startTime }
      this.#span = tracer.startSpan(`forward ${balancerName}`, options, active)
      this.#context = api.trace.setSpan(active, this.#span)
      return
    }
    const { url: route } = request.routeOptions
    if (route !== undefined) attributes['http.route'] = route
    const name = route === undefined ? methodName(method) : `${methodName(method)} ${route}`
    const parent = api.propagation.extract(active, headers)
    this.#span = tracer.startSpan(name, { kind: api.SpanKind.SERVER, attributes, startTime }, parent)
    this.#context = api.trace.setSpan(parent, this.#span)
  }

  /** Starts the span of an attempt, and sends its context to the backend in place of the client's. */
  attemptStarted(attempt: Attempt): void {
    const { trace, propagation, SpanKind, isSpanContextValid } = this.#api
    const options = {
      kind: SpanKind.CLIENT,
      attributes: attemptAttributes(attempt),
      startTime: this.#epoch + attempt.startedAt,
    }
    const span = this.#tracer.startSpan(methodName(attempt.exchange.method), options, this.#context)
    this.#attempts[attempt.number] = span
    // Without an SDK, the client's own headers are passed on.
    if (!isSpanContextValid(span.spanContext())) return
    for (const field of propagation.fields()) attempt.setHeader(field, undefined)
    propagation.inject(trace.setSpan(this.#context, span), attempt, intoAttempt)
  }

  /** `version`: the HTTP version used with the backend. */
  attemptEnded({ number, outcome = 'ok', blame, status, grpcStatus, endedAt }: Attempt, version: string): void {
    const span = this.#attempts[number]
    if (span === undefined) return
    const attributes = endAttributes({ outcome, blame, status, grpcStatus }, 400)
    if (status !== 0) attributes['network.protocol.version'] = version
    this.#end(span, attributes, endedAt)
  }

  /** Ends the span of the request. `at` on the exchange's clock. */
  ended({ outcome = 'ok', blame, status, grpcStatus }: ExchangeView, at: number): void {
    this.#end(this.#span, endAttributes({ outcome, blame, status, grpcStatus }, 500), at)
  }

  #end(span: Span, attributes: Attributes, at: number): void {
    if (span.isRecording()) {
      span.setAttributes(attributes)
      if (attributes['error.type'] !== undefined) span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    }
    span.end(this.#epoch + at)
  }
}

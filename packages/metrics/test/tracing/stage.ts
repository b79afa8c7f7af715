import balancer, { type BalancerOptions, type Policy } from '@fastify-balancer/balancer-core'
import { context, propagation, trace, type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  AlwaysOnSampler,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { listenApp, type TestApp } from '../../../../test/support/app.ts'
import { until } from '../../../../test/support/until.ts'
import metrics from '../../src/index.ts'

/** Also counts what begins. */
class CountingProcessor extends SimpleSpanProcessor {
  begun = 0

  override onStart(...begun: Parameters<SimpleSpanProcessor['onStart']>): void {
    this.begun++
    super.onStart(...begun)
  }
}

/** The real SDK, as an app sets it up before anything else; for all of this process. */
export class Sdk {
  readonly exporter = new InMemorySpanExporter()
  readonly #processor = new CountingProcessor(this.exporter)
  readonly provider = new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [this.#processor],
  })

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()]
    propagation.setGlobalPropagator(new CompositePropagator({ propagators }))
    trace.setGlobalTracerProvider(this.provider)
  }

  /** Spans that have begun, ended or not. */
  get begun(): number {
    return this.#processor.begun
  }

  /** What has ended, in order. */
  get ended(): ReadableSpan[] {
    return this.exporter.getFinishedSpans()
  }

  /** Waits until so many spans have ended, and takes them; no other may be open. */
  async take(count: number): Promise<ReadableSpan[]> {
    await until(`${count} spans have ended`, () => this.ended.length >= count)
    const spans = this.ended
    assert.deepEqual([spans.length, this.begun], [count, count])
    this.reset()
    return spans
  }

  reset(): void {
    this.exporter.reset()
    this.#processor.begun = 0
  }
}

/** Takes the backends as they are listed. */
export const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

/** An app with a balancer whose exchanges are traced; backends are `a`, `b`, … */
export async function startTraced(
  t: TestContext,
  urls: readonly string[],
  { before, ...options }: BalancerOptions & { readonly before?: (app: FastifyInstance) => unknown } = {},
): Promise<TestApp> {
  const app = Fastify()
  await before?.(app)
  const backends = urls.map((url, index) => ({ url, id: 'abcdef'[index]! }))
  await app.register(balancer, { backends, policy: inOrder, ...options })
  await app.register(metrics, { tracing: true })
  return listenApp(t, app)
}

/** What a test says of a span: its kind, its name, what it is below of, whether it failed, and its attributes. */
export interface Drawn {
  readonly kind: string
  readonly name: string
  readonly below: string | undefined
  readonly failed: boolean
  readonly attributes: Attributes
}

/** The name of its kind: the SDK has an enum of its own. */
function kindOf({ kind }: ReadableSpan): string {
  return SpanKind[kind]!
}

/** A span, with the name of the one above it among these. */
export function draw(span: ReadableSpan, among: readonly ReadableSpan[]): Drawn {
  const above = among.find((one) => one.spanContext().spanId === span.parentSpanContext?.spanId)
  return {
    kind: kindOf(span),
    name: span.name,
    below: above?.name,
    failed: SpanStatusCode[span.status.code] === 'ERROR',
    attributes: span.attributes,
  }
}

/** The header that makes a backend's spans children of this one. */
export function traceparentOf(span: ReadableSpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-0${traceFlags}`
}

/** The span of the exchange, and those of its attempts in their order, however they have ended. */
export function arrange(spans: readonly ReadableSpan[]): { exchange: ReadableSpan; attempts: ReadableSpan[] } {
  const resent = ({ attributes }: ReadableSpan) => Number(attributes['http.request.resend_count'] ?? 0)
  return {
    exchange: spans.find((span) => kindOf(span) !== 'CLIENT')!,
    attempts: spans.filter((span) => kindOf(span) === 'CLIENT').sort((one, other) => resent(one) - resent(other)),
  }
}

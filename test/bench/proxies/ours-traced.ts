// The balancer with metrics and OpenTelemetry, set up as an app does that exports its spans in batches: `--ratio=` is the
// share of requests that are sampled.
import balancer from '@fastify-balancer/balancer-core'
import metrics from '@fastify-balancer/metrics'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base'
import Fastify from 'fastify'
import { announce, origins } from './serve.ts'

const ratio = Number(process.argv.find((argument) => argument.startsWith('--ratio='))?.slice('--ratio='.length))

/** Keeps nothing: what it costs to send spans away is the collector's protocol's, not ours. */
class Nowhere extends InMemorySpanExporter {
  override export(_spans: unknown, done: Parameters<InMemorySpanExporter['export']>[1]): void {
    super.export([], done)
  }
}

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(
  new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor(new Nowhere())],
  }),
)

const app = Fastify()
await app.register(balancer, { backends: origins })
await app.register(metrics, { tracing: true })
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)

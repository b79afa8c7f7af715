import balancer from '@fastify-balancer/balancer-core'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { beforeEach, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import metrics from '../../src/index.ts'
import { draw, inOrder, Sdk, traceparentOf } from './stage.ts'

const sdk = new Sdk()
beforeEach(() => sdk.reset())

const sampled = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

type Otel = ConstructorParameters<typeof FastifyOtelInstrumentation>[0]

/** An app with @fastify/otel before everything else; routes of its own come with `routes`. */
async function start(t: TestContext, otel: Otel, backends: string[], routes?: (app: FastifyInstance) => unknown) {
  const instrumentation = new FastifyOtelInstrumentation(otel)
  instrumentation.setTracerProvider(sdk.provider)
  const app = Fastify()
  await app.register(instrumentation.plugin())
  await app.register(balancer, { backends, policy: inOrder, route: routes === undefined })
  await app.register(metrics, { tracing: true })
  await routes?.(app)
  return listenApp(t, app)
}

/** Kind, name, and the name of what is above it, of the spans that are not of some hook. */
function chainOf(spans: Parameters<typeof draw>[1]) {
  return spans
    .map((span) => draw(span, spans))
    .filter(({ attributes }) => attributes['fastify.type'] !== 'hook' && attributes['fastify.type'] !== 'route-hook')
    .map(({ kind, name, below }) => [kind, name, below] as const)
    .sort(([, one], [, other]) => (one < other ? -1 : 1))
}

test('with @fastify/otel, the exchange is below the span of its handler, and that of the request is the only server', async (t) => {
  const backend = await startBackend(t)
  const { url } = await start(t, { instrumentHooks: false }, [await unusedOrigin(), backend.url])
  assert.equal((await ask(url, { headers: { traceparent: sampled } })).status, 200)
  const spans = await sdk.take(5)
  const chain = chainOf(spans)
  const handler = spans.find(({ attributes }) => attributes['fastify.type'] === 'request-handler')!.name
  assert.deepEqual(
    chain,
    [
      ['CLIENT', 'GET', 'forward default'],
      ['CLIENT', 'GET', 'forward default'],
      ['INTERNAL', 'forward default', handler],
      ['INTERNAL', handler, 'request'],
      ['SERVER', 'request', undefined],
    ].sort(([, one], [, other]) => (one! < other! ? -1 : 1)),
  )
  assert.ok(spans.every((span) => span.spanContext().traceId === sampled.slice(3, 35)))
  const answering = spans.find(({ attributes }) => attributes['fastify_balancer.outcome'] === 'ok')!
  assert.deepEqual(
    backend.received.map(({ headers }) => headers['traceparent']),
    [traceparentOf(answering)],
  )
})

test('without a span of the handler, it is below that of the request', async (t) => {
  const backend = await startBackend(t)
  const { url } = await start(t, { instrumentHooks: false, instrumentHandler: false }, [backend.url])
  await ask(url)
  assert.deepEqual(chainOf(await sdk.take(3)), [
    ['CLIENT', 'GET', 'forward default'],
    ['INTERNAL', 'forward default', 'request'],
    ['SERVER', 'request', undefined],
  ])
})

test("so it is from a route of the app's own, after something that it waited for", async (t) => {
  const backend = await startBackend(t)
  const { url } = await start(t, { instrumentHooks: false }, [backend.url], (app) =>
    app.get('/own', async function own(_request, reply) {
      await Promise.resolve()
      return reply.forward()
    }),
  )
  assert.equal((await ask(`${url}/own`)).status, 200)
  const chain = chainOf(await sdk.take(4))
  assert.deepEqual(chain, [
    ['CLIENT', 'GET', 'forward default'],
    ['INTERNAL', 'forward default', 'handler - own'],
    ['INTERNAL', 'handler - own', 'request'],
    ['SERVER', 'request', undefined],
  ])
})

test('a route that @fastify/otel leaves out has the span of the exchange for its server', async (t) => {
  const backend = await startBackend(t)
  const { url } = await start(t, {}, [backend.url], (app) =>
    app.get('/own', { config: { otel: false } }, (_request, reply) => reply.forward()),
  )
  await ask(`${url}/own`, { headers: { traceparent: sampled } })
  const spans = await sdk.take(2)
  assert.deepEqual(chainOf(spans), [
    ['CLIENT', 'GET', 'GET /own'],
    ['SERVER', 'GET /own', undefined],
  ])
  assert.equal(spans[1]!.parentSpanContext?.spanId, sampled.slice(36, 52))
})

test('what it samples out, is out', async (t) => {
  const backend = await startBackend(t)
  const { url } = await start(t, {}, [backend.url])
  assert.equal((await ask(url, { headers: { traceparent: sampled.replace(/01$/, '00') } })).status, 200)
  const [{ headers }] = backend.received as [(typeof backend.received)[number]]
  assert.match(String(headers['traceparent']), /^00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00$/)
  assert.ok(!String(headers['traceparent']).includes('b7ad6b7169203331'))
  assert.equal(sdk.begun, 0)
})

import balancer from '@fastify-balancer/balancer-core'
import { context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { beforeEach, test, type TestContext } from 'node:test'
import { listenApp, startApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { LogLines } from '../../../../test/support/log-lines.ts'
import { until } from '../../../../test/support/until.ts'
import metrics from '../../src/index.ts'
import { arrange, draw, inOrder, Sdk, startTraced, traceparentOf } from './stage.ts'

const sdk = new Sdk()
beforeEach(() => sdk.reset())

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const sampled = `00-${traceId}-${spanId}-01`

/** The fields of tracing, in the order and form in which they arrived. */
function tracingIn(rawHeaders: readonly string[]): string[] {
  const names = /^(?:traceparent|tracestate|baggage)$/i
  return rawHeaders.filter((_, index) => names.test(rawHeaders[index - (index % 2)]!))
}

/** What of these fields arrives at a backend. */
async function forwarded(t: TestContext, headers: readonly string[]) {
  const backend = await startBackend(t)
  const { url } = await startTraced(t, [backend.url])
  assert.equal((await ask(url, { headers: ['host', 'a.test', ...headers] })).status, 200)
  return tracingIn(backend.received[0]!.rawHeaders)
}

test("a client's trace goes on: its span is above ours, and what it sent is replaced, whatever its case", async (t) => {
  const arrived = await forwarded(t, [
    'TraceParent',
    sampled,
    'TRACESTATE',
    'vendor=one',
    'tracestate',
    'other=two',
    'Baggage',
    'shop=7',
  ])
  const { exchange, attempts } = arrange(await sdk.take(2))
  assert.equal(draw(exchange, []).kind, 'SERVER')
  assert.deepEqual(
    [exchange.spanContext().traceId, exchange.parentSpanContext?.spanId, exchange.parentSpanContext?.isRemote],
    [traceId, spanId, true],
  )
  assert.deepEqual(arrived, [
    'traceparent',
    traceparentOf(attempts[0]!),
    'tracestate',
    'vendor=one,other=two',
    'baggage',
    'shop=7',
  ])
})

for (const [what, headers] of Object.entries({
  'a malformed one': ['traceparent', 'not one', 'tracestate', 'vendor=one'],
  'two of them': ['traceparent', sampled, 'traceparent', `00-${traceId}-b7ad6b7169203332-01`],
  'a state without a trace': ['tracestate', 'vendor=one'],
}))
  test(`a client's trace that makes no sense begins a new one, of which nothing is left over: ${what}`, async (t) => {
    const arrived = await forwarded(t, headers)
    const { exchange, attempts } = arrange(await sdk.take(2))
    assert.equal(exchange.parentSpanContext, undefined)
    assert.notEqual(exchange.spanContext().traceId, traceId)
    assert.deepEqual(arrived, ['traceparent', traceparentOf(attempts[0]!)])
  })

test('a trace that its client does not sample is passed on as such, and nothing is exported', async (t) => {
  const arrived = await forwarded(t, ['traceparent', `00-${traceId}-${spanId}-00`, 'tracestate', 'vendor=one'])
  const [, traceparent, ...state] = arrived
  assert.match(traceparent!, new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`))
  // Of an attempt that nobody records, but not the client's own.
  assert.ok(!traceparent!.includes(spanId))
  assert.deepEqual(state, ['tracestate', 'vendor=one'])
  assert.deepEqual([sdk.begun, sdk.ended.length], [0, 0])
})

test('where something is active already, the exchange is below that, and not a server of its own', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startTraced(t, [backend.url], {
    before: (app) =>
      app.addHook('onRequest', (_request, _reply, done) => {
        trace.getTracer('of the app').startActiveSpan('outer', (outer) => {
          done()
          outer.end()
        })
      }),
  })
  await ask(url, { headers: { traceparent: sampled } })
  const spans = await sdk.take(3)
  const drawn = spans.map((span) => draw(span, spans))
  assert.deepEqual(
    drawn.map(({ kind, name, below }) => [kind, name, below]),
    [
      ['INTERNAL', 'outer', undefined],
      ['CLIENT', 'GET', 'forward default'],
      ['INTERNAL', 'forward default', 'outer'],
    ],
  )
  assert.deepEqual(
    backend.received.map(({ headers }) => headers['traceparent']),
    [traceparentOf(spans[1]!)],
  )
  assert.ok(!('http.route' in drawn[2]!.attributes))
})

test('where tracing is suppressed, what the client sent is passed on', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startTraced(t, [backend.url], {
    before: (app) =>
      app.addHook('onRequest', (_request, _reply, done) => context.with(suppressTracing(ROOT_CONTEXT), done)),
  })
  await ask(url, { headers: { TraceParent: sampled } })
  assert.deepEqual(tracingIn(backend.received[0]!.rawHeaders), ['TraceParent', sampled])
  assert.equal(sdk.begun, 0)
})

for (const tracing of [false, undefined])
  test(`without tracing (${tracing}), what the client sent is passed on as it is, to every backend`, async (t) => {
    const resetting = await startBackend(t, (request) => request.socket.destroy())
    const sound = await startBackend(t)
    const app = Fastify()
    await app.register(balancer, { backends: [resetting.url, sound.url], policy: inOrder })
    await app.register(metrics, tracing === undefined ? {} : { tracing })
    const { url } = await listenApp(t, app)
    const fields = ['TraceParent', sampled, 'tracestate', 'vendor=one', 'TraceState', 'other=two', 'baggage', 'a=b']
    assert.equal((await ask(url, { headers: ['host', 'a.test', ...fields] })).status, 200)
    for (const { received } of [resetting, sound]) assert.deepEqual(tracingIn(received[0]!.rawHeaders), fields)
    assert.equal(sdk.begun, 0)
  })

test("another server's balancer of the same name is not traced, and its fields are left alone", async (t) => {
  const backend = await startBackend(t)
  const silent = await startApp(t, { backends: [backend.url] })
  const traced = await Promise.all([startTraced(t, [backend.url]), startTraced(t, [backend.url])])
  await ask(silent.url, { headers: { traceparent: sampled } })
  assert.equal(backend.received[0]!.headers['traceparent'], sampled)
  assert.equal(sdk.begun, 0)
  // Two that both trace: each its own, once.
  for (const { url } of traced) {
    await ask(url)
    await sdk.take(2)
  }
})

test('errors of the SDK are logged, and break nothing', async (t) => {
  const backend = await startBackend(t)
  const lines = new LogLines()
  const app = Fastify({ logger: { level: 'error', stream: lines.stream } })
  await app.register(balancer, { backends: [await unusedOrigin(), backend.url], policy: inOrder })
  await app.register(metrics, { tracing: true })
  const { url } = await listenApp(t, app)
  for (const method of ['startSpan', 'end'] as const) {
    const broken = () => {
      throw new Error(`${method} is broken`)
    }
    const span = sdk.provider.getTracer('any').startSpan('any')
    const prototype = Object.getPrototypeOf(method === 'end' ? span : sdk.provider.getTracer('any')) as object
    const mock = t.mock.method(prototype as Record<string, () => void>, method, broken)
    assert.equal((await ask(url)).body, 'backend')
    await until('the exchange has ended', () => app.balancer.exchanges === 0)
    mock.mock.restore()
  }
  const messages = lines.all.map(({ msg, err }) => `${msg}: ${(err as Error).message}`)
  assert.deepEqual(messages, [
    // Without a span of the exchange, its attempts have none either.
    'tracing failed: startSpan is broken',
    ...Array<string>(3).fill('tracing failed: end is broken'),
  ])
  sdk.reset()
  assert.equal((await ask(url)).status, 200)
  const { attempts } = arrange(await sdk.take(3))
  assert.equal(attempts[1]!.spanContext().traceFlags, TraceFlags.SAMPLED)
})

import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { exchange, get } from './wire-client.ts'
import { valuesOf, type WireMessage } from './wire-message.ts'

failOnCrash()

/** Sends fields through a balancer, in an app whose request has the id `own-7`. */
async function seen(t: TestContext, fields: string[], options: BalancerOptions, server: FastifyServerOptions = {}) {
  const backend = await startWireBackend(t)
  const app = Fastify({ genReqId: () => 'own-7', ...server })
  await app.register(balancer, { backends: [backend.url], ...options })
  const { port } = await listenApp(t, app)
  assert.equal((await exchange(t, port, get('/', ...fields))).status, 200)
  return backend.requests[0]!
}

const idsOf = ({ fields }: WireMessage) =>
  fields.filter(([name]) => /request.id|correlation/i.test(name)).map(([name, value]) => `${name}: ${value}`)

test('traceparent and tracestate cross untouched', async (t) => {
  const fields = [
    'TraceParent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'tracestate: a=1,b=2',
    'tracestate: c=3',
  ]
  for (const requestId of [false, 'x-request-id'] as const) {
    const request = await seen(t, fields, { requestId })
    assert.deepEqual(
      request.fields.filter(([name]) => /^trace/i.test(name)).map(([name, value]) => `${name}: ${value}`),
      fields,
    )
    assert.equal(valuesOf(request, 'traceparent').length, 1)
  }
})

test('without requestId, a field of that name is like any other', async (t) => {
  assert.deepEqual(idsOf(await seen(t, ['X-Request-Id: 1', 'x_request_id: 2'], {})), [
    'X-Request-Id: 1',
    'x_request_id: 2',
  ])
  assert.deepEqual(idsOf(await seen(t, [], {})), [])
})

test("requestId sends the request's id, in place of what a client claims", async (t) => {
  const options = { requestId: 'x-request-id' }
  assert.deepEqual(idsOf(await seen(t, [], options)), ['x-request-id: own-7'])
  const claims = ['X-Request-Id: 1', 'x_request_id: 2', 'x.request.id: 3']
  assert.deepEqual(idsOf(await seen(t, claims, options)), ['x-request-id: own-7'])
  assert.deepEqual(idsOf(await seen(t, claims, options, { trustProxy: '10.0.0.1' })), ['x-request-id: own-7'])
  assert.deepEqual(idsOf(await seen(t, [], { requestId: 'Correlation-Id' })), ['Correlation-Id: own-7'])
})

test("a trusted peer's own is passed on", async (t) => {
  const [options, server] = [{ requestId: 'x-request-id' }, { trustProxy: '127.0.0.1' }]
  assert.deepEqual(idsOf(await seen(t, ['X-Request-ID: theirs'], options, server)), ['X-Request-ID: theirs'])
  assert.deepEqual(idsOf(await seen(t, [], options, server)), ['x-request-id: own-7'])
})

import balancer from '@fastify-balancer/balancer-core'
import underPressure from '@fastify/under-pressure'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { get, wireClient, type WireClient } from '../../../test/conformance/wire-client.ts'
import { valuesOf } from '../../../test/conformance/wire-message.ts'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { until } from '../../../test/support/until.ts'
import adminRoutes from '../src/index.ts'
import { stage } from './stage.ts'

const exchangeEnd = channel('balancer-core:exchange:end')

/** An app over one backend that answers when `finish` is called, and at once where the path is not `/held`. */
async function start(t: TestContext, lane: 'raw' | 'full' = 'raw') {
  const open: ServerResponse[] = []
  const backend = await startBackend(t, (request, response) => {
    if (request.url === '/held') open.push(response)
    else response.end('done')
  })
  const clock = new ManualClock(0)
  const app = Fastify()
  await app.register(balancer, { backends: [backend.url], clock, lane })
  await app.register(adminRoutes, { insecure: true })
  app.get('/own', async () => 'own')
  const listening = await listenApp(t, app)
  const admin = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(`${listening.url}/_balancer${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { status: answer.status, body: JSON.parse(answer.body) }
  }
  const finish = () => {
    for (const response of open.splice(0)) response.end('done')
  }
  return { ...listening, clock, admin, open, finish }
}

describe('drain of the whole server', () => {
  for (const lane of ['raw', 'full'] as const)
    test(`not ready at once, connections closed once that was noticed, until it is ready again: ${lane} lane`, async (t) => {
      const { port, clock, admin } = await start(t, lane)
      const client = await wireClient(t, port)
      const connectionOf = async (one: WireClient, path = '/') => {
        one.send(get(path))
        return valuesOf(await one.response(), 'connection')
      }
      assert.deepEqual(await connectionOf(client), ['keep-alive'])

      const ordered = await admin('PUT', '/server/state', { state: 'drain', grace: 5000 })
      assert.deepEqual(ordered, {
        status: 200,
        body: { state: 'drain', closesConnections: false, exchanges: 0, idle: true },
      })
      assert.deepEqual(await admin('GET', '/ready'), { status: 503, body: { ready: false, reason: 'draining' } })
      assert.equal((await admin('GET', '/live')).status, 200)
      clock.advance(4999)
      assert.deepEqual(await connectionOf(client), ['keep-alive'])

      clock.advance(1)
      assert.equal((await admin('GET', '/server')).body.closesConnections, true)
      assert.deepEqual(await connectionOf(client, '/own'), ['close'])
      await client.closed()
      // Whoever comes all the same is served.
      const another = await wireClient(t, port)
      assert.deepEqual(await connectionOf(another), ['close'])
      await another.closed()

      assert.equal((await admin('PUT', '/server/state', { state: 'ready' })).body.state, 'ready')
      assert.equal((await admin('GET', '/ready')).status, 200)
      assert.deepEqual(await connectionOf(await wireClient(t, port)), ['keep-alive'])
    })

  test('wait answers when all is done, or with what is left', async (t) => {
    const { url, clock, admin, open, finish } = await start(t)
    const running = ask(`${url}/held`)
    await until('the backend has it', () => open.length === 1)
    await admin('PUT', '/server/state', { state: 'drain', grace: 0 })
    const short = admin('GET', '/server/wait?until=idle&timeout=50')
    await until('it waits', () => exchangeEnd.hasSubscribers)
    clock.advance(50)
    assert.deepEqual(await short, {
      status: 202,
      body: { state: 'drain', closesConnections: true, exchanges: 1, idle: false },
    })
    const waiting = admin('GET', '/server/wait?until=idle&timeout=600000')
    await until('it waits', () => exchangeEnd.hasSubscribers)
    finish()
    assert.deepEqual([(await waiting).status, (await waiting).body.idle], [200, true])
    assert.equal((await running).body, 'done')
  })

  test('close: the app closes after the grace, and cuts nothing', async (t) => {
    const { app, url, clock, admin, open, finish } = await start(t)
    let closing = false
    app.server.on('close', () => void (closing = true))
    const running = ask(`${url}/held`)
    await until('the backend has it', () => open.length === 1)
    await admin('PUT', '/server/state', { state: 'drain', grace: 1000, close: true })
    clock.advance(1000)
    await until('it closes', () => app.balancer.closing)
    finish()
    assert.equal((await running).body, 'done')
    await until('it is closed', () => closing)
  })

  test('ready calls a closing off, and leaves no timer', async (t) => {
    const { app, clock, admin } = await start(t)
    await admin('PUT', '/server/state', { state: 'drain', grace: 1000, close: true })
    await admin('PUT', '/server/state', { state: 'ready' })
    clock.advance(10_000)
    assert.equal(app.balancer.closing, false)
    assert.equal((await admin('GET', '/server')).body.closesConnections, false)
  })

  test('bad orders change nothing', async (t) => {
    const { ask: admin } = await stage(t)
    for (const body of [
      {},
      { state: 'maintenance' },
      { state: 'drain', grace: -1 },
      { state: 'ready', close: true },
      { state: 'drain', more: 1 },
    ])
      assert.equal((await admin('PUT', '/server/state', body)).status, 400)
    assert.equal((await admin('GET', '/server')).body.state, 'ready')
  })

  test('is told, with who it was', async (t) => {
    const { ask: admin, told, log } = await stage(t, { admin: { insecure: true, user: () => 'anna' } })
    await admin('PUT', '/server/state', { state: 'drain' })
    assert.deepEqual(
      told.map(({ who, what, before, after, balancer: of }) => ({ who, what, before, after, of })),
      [{ who: 'anna', what: 'server.state', before: 'ready', after: 'drain', of: undefined }],
    )
    assert.ok(log.all.some(({ msg }) => msg === 'anna did server.state: drain'))
  })
})

describe('operator', () => {
  test('says who it is, or what the hooks of the role say', async (t) => {
    const { ask: admin } = await stage(t, {
      admin: {
        onRequest: async () => {},
        operate: {
          onRequest: async (request, reply) => {
            if (request.headers['x-may'] === undefined)
              await reply.code(403).send({ statusCode: 403, error: 'Forbidden', message: 'no' })
          },
        },
        user: () => 'anna',
      },
    })
    assert.equal((await admin('GET', '/operator')).status, 403)
    assert.equal((await admin('GET', '/balancers')).status, 200)
    const { status, body } = await admin('GET', '/operator', undefined, { 'x-may': 'yes' })
    assert.deepEqual([status, body], [200, { who: 'anna' }])
  })
})

describe('an overloaded process', () => {
  test('refuses all but the admin routes, which show how it is', async (t) => {
    const { app, ask: admin } = await stage(t, {
      between: (one) => one.register(underPressure, { maxHeapUsedBytes: 1, retryAfter: 7, sampleInterval: 10 }),
    })
    await until('it was measured', () => app.isUnderPressure())
    const { process } = (await admin('GET', '/balancers')).body
    assert.deepEqual(Object.keys(process), [
      'overloaded',
      'eventLoopDelay',
      'eventLoopUtilized',
      'heapUsed',
      'rssBytes',
    ])
    assert.ok(process.overloaded && process.heapUsed > 1 && process.rssBytes > 1)
    const { statusCode, headers } = await app.inject('/')
    assert.deepEqual([statusCode, headers['retry-after']], [503, '7'])
  })

  test('where nobody looks after it, nothing is said', async (t) => {
    const { ask: admin } = await stage(t)
    assert.deepEqual(Object.keys((await admin('GET', '/balancers')).body), ['balancers'])
  })
})

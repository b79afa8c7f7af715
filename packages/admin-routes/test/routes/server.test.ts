import balancer from '@fastify-balancer/balancer-core'
import underPressure from '@fastify/under-pressure'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import dns from 'node:dns'
import { Agent, type ServerResponse } from 'node:http'
import { isIP, type AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { get, wireClient, type WireClient } from '../../../../test/conformance/wire-client.ts'
import { valuesOf } from '../../../../test/conformance/wire-message.ts'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { LogLines } from '../../../../test/support/log-lines.ts'
import { subscribersOf } from '../../../../test/support/subscribers.ts'
import { until } from '../../../../test/support/until.ts'
import adminRoutes from '../../src/index.ts'
import { a, stage } from '../stage.ts'

const exchangeEnd = channel('balancer-core:exchange:end')
const requestStart = channel('http.server.request.start')

/** An app over one backend that answers when `finish` is called, and at once where the path is not `/held`. */
async function start(t: TestContext, lane: 'raw' | 'full' = 'raw') {
  const open: ServerResponse[] = []
  const backend = await startBackend(t, (request, response) => {
    if (request.url === '/held') open.push(response)
    else response.end('done')
  })
  const clock = new ManualClock(0)
  const log = new LogLines()
  const app = Fastify({ logger: log })
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
  return { ...listening, clock, log, admin, open, finish }
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

      t.mock.method(Date, 'now', () => 1_700_000_000_000)
      const ordered = await admin('PUT', '/server/state', { state: 'drain', grace: 5000 })
      assert.deepEqual(ordered, {
        status: 200,
        body: {
          state: 'drain',
          closesConnections: false,
          closesConnectionsAt: 1_700_000_005_000,
          closesApp: false,
          exchanges: 0,
          tunnels: 0,
          idle: true,
        },
      })
      assert.deepEqual(await admin('GET', '/server'), ordered)
      assert.deepEqual(await admin('GET', '/ready'), { status: 503, body: { ready: false, reason: 'draining' } })
      assert.equal((await admin('GET', '/live')).status, 200)
      clock.advance(4999)
      assert.deepEqual(await connectionOf(client), ['keep-alive'])

      clock.advance(1)
      assert.deepEqual((await admin('GET', '/server')).body, {
        state: 'drain',
        closesConnections: true,
        closesApp: false,
        exchanges: 0,
        tunnels: 0,
        idle: true,
      })
      assert.deepEqual(await connectionOf(client, '/own'), ['close'])
      await client.closed()
      // Whoever comes all the same is served.
      const another = await wireClient(t, port)
      assert.deepEqual(await connectionOf(another), ['close'])
      await another.closed()

      assert.deepEqual((await admin('PUT', '/server/state', { state: 'ready' })).body, {
        state: 'ready',
        closesConnections: false,
        exchanges: 0,
        tunnels: 0,
        idle: true,
      })
      assert.equal(requestStart.hasSubscribers, false)
      assert.equal((await admin('GET', '/ready')).status, 200)
      assert.deepEqual(await connectionOf(await wireClient(t, port)), ['keep-alive'])
    })

  test('wait answers when all is done, or with what is left', async (t) => {
    const { url, clock, admin, open, finish } = await start(t)
    const running = ask(`${url}/held`)
    await until('the backend has it', () => open.length === 1)
    await admin('PUT', '/server/state', { state: 'drain', grace: 0 })
    const short = admin('GET', '/server/wait?until=idle&timeout=50')
    await until('it waits', () => subscribersOf(exchangeEnd) > 1)
    clock.advance(50)
    assert.deepEqual(await short, {
      status: 202,
      body: { state: 'drain', closesConnections: true, closesApp: false, exchanges: 1, tunnels: 0, idle: false },
    })
    const waiting = admin('GET', '/server/wait?until=idle&timeout=600000')
    await until('it waits', () => subscribersOf(exchangeEnd) > 1)
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
    const { body } = await admin('PUT', '/server/state', { state: 'drain', grace: 1000, close: true })
    assert.deepEqual([body.closesApp, typeof body.closesConnectionsAt], [true, 'number'])
    const ready = await admin('PUT', '/server/state', { state: 'ready' })
    assert.deepEqual(Object.keys(ready.body), ['state', 'closesConnections', 'exchanges', 'tunnels', 'idle'])
    clock.advance(10_000)
    assert.equal(app.balancer.closing, false)
    assert.equal((await admin('GET', '/server')).body.closesConnections, false)
  })

  test('ordered again, the grace begins anew, and the last order decides whether the app is closed', async (t) => {
    const { app, clock, admin } = await start(t)
    t.mock.method(Date, 'now', () => 1_700_000_000_000)
    await admin('PUT', '/server/state', { state: 'drain', grace: 1000, close: true })
    clock.advance(999)
    const { body } = await admin('PUT', '/server/state', { state: 'drain', grace: 2000 })
    assert.deepEqual([body.closesConnectionsAt, body.closesApp], [1_700_000_002_000, false])
    clock.advance(1999)
    assert.equal((await admin('GET', '/server')).body.closesConnections, false)
    clock.advance(1)
    // Those that are being closed stay so.
    const later = (await admin('PUT', '/server/state', { state: 'drain', grace: 5000 })).body
    assert.deepEqual([later.closesConnections, later.closesConnectionsAt], [true, undefined])
    assert.equal(app.balancer.closing, false)
  })

  test('close: what fails then is logged, and ends nothing else', async (t) => {
    const { app, log, admin } = await start(t)
    const unhandled: unknown[] = []
    const listen = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', listen)
    t.after(() => process.off('unhandledRejection', listen))
    // Called in the midst of closing; the app is ready, and takes no hook any more.
    t.mock.method(app.balancer, 'close', async () => {
      throw new Error('the pool was closed already')
    })
    await admin('PUT', '/server/state', { state: 'drain', grace: 0, close: true })
    const line = () => log.all.find(({ msg }) => msg === 'closing after the drain failed')
    await until('it is logged', () => line() !== undefined)
    const { level, err } = line() as unknown as { level: number; err: { message: string } }
    assert.deepEqual([level, err.message], [50, 'the pool was closed already'])
    await new Promise((resolve) => void setImmediate(resolve))
    assert.deepEqual(unhandled, [])
  })

  test('reaches every address of localhost, and no other app', async (t) => {
    const localhost = ['127.0.0.1', '::1']
    const lookup = (name: string, _options: unknown, done: (error: null, found: dns.LookupAddress[]) => void) =>
      done(
        null,
        (name === 'localhost' ? localhost : [name]).map((address) => ({ address, family: isIP(address) })),
      )
    t.mock.method(dns, 'lookup', lookup as unknown as typeof dns.lookup)
    const other = await start(t)
    const app = Fastify()
    t.after(() => app.close())
    await app.register(balancer, { backends: [] })
    await app.register(adminRoutes, { insecure: true })
    await app.listen({ port: 0, host: 'localhost' })
    const listening = app.addresses() as AddressInfo[]
    if (listening.length < 2) return t.skip('there is no IPv6')
    const { port } = listening[0]!
    const agent = new Agent({ keepAlive: true })
    t.after(() => agent.destroy())
    const connectionTo = async (url: string) => (await ask(url, { agent })).headers.connection
    const urls = [`http://127.0.0.1:${port}`, `http://[::1]:${port}`]
    const all = async () => [
      await connectionTo(`${urls[0]}/x`),
      await connectionTo(`${urls[1]}/x`),
      await connectionTo(`${other.url}/own`),
    ]
    const order = (body: object) =>
      ask(`${urls[1]}/_balancer/server/state`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    await order({ state: 'drain', grace: 0 })
    assert.deepEqual(await all(), ['close', 'close', 'keep-alive'])
    await order({ state: 'ready' })
    assert.deepEqual(await all(), ['keep-alive', 'keep-alive', 'keep-alive'])
  })

  test('is one state, by whichever admin routes it is ordered and asked', async (t) => {
    const app = Fastify()
    await app.register(balancer, { backends: [a] })
    await app.register(adminRoutes, { insecure: true, prefix: '/one' })
    await app.register(async (scope) => scope.register(adminRoutes, { insecure: true, prefix: '/two' }))
    const { url, port } = await listenApp(t, app)
    const order = (prefix: string, body: object) =>
      ask(`${url}${prefix}/server/state`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const seen = async () => [
      (await ask(`${url}/one/ready`)).status,
      (await ask(`${url}/two/ready`)).status,
      JSON.parse((await ask(`${url}/one/server`)).body).closesConnections,
      JSON.parse((await ask(`${url}/two/server`)).body).closesConnections,
    ]
    await order('/one', { state: 'drain', grace: 0 })
    assert.deepEqual(await seen(), [503, 503, true, true])
    await order('/two', { state: 'ready' })
    assert.deepEqual(await seen(), [200, 200, false, false])
    const client = await wireClient(t, port)
    client.send(get('/one/server'))
    assert.deepEqual(valuesOf(await client.response(), 'connection'), ['keep-alive'])
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
    assert.ok(log.all.some(({ msg }) => msg === 'anna set the server: ready → drain (grace 10 s)'))
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

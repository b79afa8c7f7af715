import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify, { type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { connect, constants, type ServerHttp2Stream } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, startBackends } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { subscribersOf } from '../../../../test/support/subscribers.ts'
import { until } from '../../../../test/support/until.ts'
import adminRoutes from '../../src/index.ts'
import { ExplanationView } from '../../src/schemas/explanation.ts'
import { BackendView, CircuitView, ProbeView } from '../../src/schemas/views.ts'
import { assertIs, stage } from '../stage.ts'

const backends = '/balancers/default/backends'
const attemptEnd = channel('balancer-core:attempt:end')

/** A balancer on real sockets, over one backend `a` that answers when `finish` is called. */
async function held(t: TestContext, options: BalancerOptions = {}, server: FastifyServerOptions = {}) {
  const open: ServerResponse[] = []
  const backend = await startBackend(t, (_request, response) => void open.push(response))
  const app = Fastify(server)
  await app.register(balancer, { backends: [{ id: 'a', url: backend.url }], ...options })
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const admin = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(`${url}/_balancer${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { ...answer, body: JSON.parse(answer.body) }
  }
  const finish = () => {
    for (const response of open.splice(0)) response.end('done')
  }
  return { app, url, open, backend, admin, finish }
}

describe('state', () => {
  test('a drained backend gets nothing new, finishes what it has, and is told idle', async (t) => {
    const { app, url, open, admin, finish } = await held(t)
    const running = ask(url)
    await until('the backend has it', () => open.length === 1)
    const ordered = await admin('PUT', `${backends}/a/state`, { state: 'drain', deadline: 0 })
    assert.deepEqual([ordered.status, ordered.body.state, ordered.body.inFlight], [200, 'drain', 1])
    assertIs(BackendView, ordered.body)
    assert.equal((await ask(url)).status, 503)

    const waiting = admin('GET', `${backends}/a/wait?until=idle`)
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    finish()
    const { status, body } = await waiting
    assert.deepEqual([status, body], [200, { id: 'a', state: 'drain', idle: true, inFlight: 0, tunnels: 0 }])
    assert.equal((await running).body, 'done')
    assert.equal(subscribersOf(attemptEnd), 1)

    assert.equal((await admin('PUT', `${backends}/a/state`, { state: 'ready' })).body.state, 'ready')
    const again = ask(url)
    await until('the backend has it', () => open.length === 1)
    finish()
    assert.equal((await again).status, 200)
    assert.equal(app.balancer.backend('a').inFlight, 0)
  })

  test('a deadline cuts what is left; a later order has a deadline of its own', async (t) => {
    const clock = new ManualClock()
    const { app, url, open, admin } = await held(t, {
      clock,
      timeouts: { headers: 0, idle: 0 },
      retry: { attempts: 0 },
    })
    const running = ask(url)
    await until('the backend has it', () => open.length === 1)
    await admin('PUT', `${backends}/a/state`, { state: 'drain', deadline: 1000 })
    await admin('PUT', `${backends}/a/state`, { state: 'drain', deadline: 5000 })
    // Once more, without one: nothing changes.
    await admin('PUT', `${backends}/a/state`, { state: 'drain' })
    clock.advance(4999)
    assert.equal(app.balancer.backend('a').inFlight, 1)
    clock.advance(1)
    assert.equal((await running).status, 503)
    assert.equal(app.balancer.backend('a').state, 'drain')
  })

  test('a drain or maintenance says why, also with another deadline', async (t) => {
    const { app, admin } = await held(t)
    const vetoes = async (path: string, order: object) => {
      const { status, body } = await admin('PUT', path, order)
      assert.equal(status, 200)
      return body.vetoes.map(({ by, reason }: { by: string; reason: string }) => [by, reason])
    }
    const path = `${backends}/a/state`
    assert.deepEqual(await vetoes(path, { state: 'drain', reason: 'new kernel' }), [['drain', 'new kernel']])
    assert.deepEqual(await vetoes(path, { state: 'drain', deadline: 9000 }), [['drain', 'new kernel']])
    assert.deepEqual((await vetoes(path, { state: 'maintenance' })).at(-1), ['maintenance', 'ordered by an operator'])
    assert.deepEqual(await vetoes(path, { state: 'ready', reason: 'done' }), [])
    const { faults } = (await admin('PUT', path, { state: 'drain', reason: '' })).body
    assert.match(faults[0], /^reason: expected /)
    assert.equal(app.balancer.backend('a').state, 'ready')
  })

  test('maintenance cuts at once', async (t) => {
    const { url, open, admin } = await held(t, { retry: { attempts: 0 } })
    const running = ask(url)
    await until('the backend has it', () => open.length === 1)
    const ordered = await admin('PUT', `${backends}/a/state`, { state: 'maintenance' })
    assert.deepEqual([ordered.status, ordered.body.state], [200, 'maintenance'])
    assert.equal((await running).status, 503)
    assert.equal((await admin('PUT', `${backends}/a/state`, { state: 'drain' })).body.state, 'drain')
  })

  test('nonsense is refused', async (t) => {
    const { ask: inject, told } = await stage(t)
    for (const [given, faults] of [
      [{ state: 'ready', deadline: 1 }, ['deadline: only allowed with drain']],
      [{ state: 'gone' }, ["state: expected 'ready', 'drain' or 'maintenance', got 'gone'"]],
      [{}, ["state: expected 'ready', 'drain' or 'maintenance', got nothing"]],
    ] as const) {
      const { status, body } = await inject('PUT', `${backends}/a/state`, given)
      assert.deepEqual([status, body.faults], [400, faults])
    }
    assert.deepEqual(told, [])
  })
})

describe('wait', () => {
  test('answers 202 with the live count when its time is over', async (t) => {
    const clock = new ManualClock()
    const { url, open, admin, finish } = await held(t, { clock, timeouts: { headers: 0, idle: 0 } })
    const running = [ask(url), ask(url)]
    await until('the backend has both', () => open.length === 2)
    const waiting = admin('GET', `${backends}/a/wait?timeout=500`)
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    open.pop()!.end()
    await Promise.race(running)
    clock.advance(500)
    const { status, body } = await waiting
    assert.deepEqual([status, body], [202, { id: 'a', state: 'ready', idle: false, inFlight: 1, tunnels: 0 }])
    assert.equal(subscribersOf(attemptEnd), 1)
    finish()
    await Promise.all(running)
  })

  test('takes as long as it is asked to, whatever the app allows its handlers', async (t) => {
    const { app, admin } = await held(t, {}, { handlerTimeout: 50 })
    app.balancer.backend('a').inFlight = 1
    app.balancer.enter()
    const answers = await Promise.all([
      admin('GET', `${backends}/a/wait?timeout=150`),
      admin('GET', '/server/wait?timeout=150'),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202],
    )
    app.balancer.leave()
  })

  test('leaves nothing behind when the client goes', async (t) => {
    const clock = new ManualClock()
    const { url, open, finish } = await held(t, { clock, timeouts: { headers: 0, idle: 0 } })
    const running = ask(url)
    await until('the backend has it', () => open.length === 1)
    const abort = new AbortController()
    const waiting = ask(`${url}/_balancer${backends}/a/wait`, { signal: abort.signal })
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    abort.abort()
    await waiting
    await until('nobody waits', () => subscribersOf(attemptEnd) === 1)
    finish()
    await running
  })

  test('leaves nothing behind when a client over HTTP/2 goes while a hook still looks at it', async (t) => {
    const open: ServerResponse[] = []
    const backend = await startBackend(t, (_request, response) => void open.push(response))
    const app = Fastify({ http2: true })
    await app.register(balancer, { backends: [{ id: 'a', url: backend.url }] })
    let stream: ServerHttp2Stream | undefined
    let answered = false
    app.addHook('onSend', async ({ url }) => void (answered ||= url.startsWith('/_balancer/')))
    await app.register(adminRoutes, {
      onRequest: async (_request, reply) => {
        ;({ stream } = reply.raw as unknown as { stream: ServerHttp2Stream })
        await until('its client has gone', () => stream!.destroyed)
      },
    })
    const session = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
    t.after(() => {
      for (const response of open) response.end('done')
      session.destroy()
      return app.close()
    })
    const running = session.request({ ':path': '/' })
    running.on('error', () => {})
    await until('the backend has it', () => open.length === 1)
    const waiting = session.request({ ':path': `/_balancer${backends}/a/wait?timeout=600000` })
    waiting.on('error', () => {})
    await until('a hook looks at it', () => stream !== undefined)
    waiting.close(constants.NGHTTP2_CANCEL)
    await until('it is answered, to nobody', () => answered)
    assert.equal(subscribersOf(attemptEnd), 1)
  })

  test('knows one that was removed until it has finished', async (t) => {
    const { url, open, admin, finish } = await held(t)
    const running = ask(url)
    await until('the backend has it', () => open.length === 1)
    assert.equal((await admin('DELETE', `${backends}/a?deadline=0&force=true`)).status, 200)
    const waiting = admin('GET', `${backends}/a/wait`)
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    finish()
    assert.deepEqual([(await waiting).status, (await running).status], [200, 200])
    assert.equal((await admin('GET', `${backends}/a/wait`)).status, 404)
  })

  test('ends when the app closes, even if the backend never does', async (t) => {
    const { app, url, open, admin, finish } = await held(t, { drainDeadline: 0 }, { pluginTimeout: 200 })
    const running = ask(url)
    await until('the backend has it', () => open.length === 1)
    const waiting = admin('GET', `${backends}/a/wait?timeout=600000`)
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    const closed = app.close()
    const { status, body } = await waiting
    assert.deepEqual([status, body.inFlight, subscribersOf(attemptEnd) > 1], [202, 1, false])
    finish()
    await Promise.all([running, closed])
  })
})

describe('probe', () => {
  test('asks at once, and tells what came of it', async (t) => {
    const [well] = await startBackends(t, 'well')
    const { ask: inject, told } = await stage(t, {
      balancer: { backends: [{ id: 'a', url: well!.url }] },
      between: (app) => app.register(healthCheck, {}),
    })
    const { status, body } = await inject('POST', `${backends}/a/probe`)
    assert.equal(status, 200)
    assertIs(ProbeView, body)
    assert.deepEqual([body.good, body.received], [true, 'HTTP 200'])
    const view = (await inject('GET', `${backends}/a`)).body
    assertIs(BackendView, view)
    assert.deepEqual([view.health.state, view.health.lastProbe], ['up', body])
    assert.deepEqual(
      told.map(({ what, backend, before, after }) => [what, backend, before, after]),
      [['backend.probe', 'a', 'up', 'good']],
    )
  })

  test('is 409 without a health check, or without probes', async (t) => {
    const bare = await stage(t)
    const missing = await bare.ask('POST', `${backends}/a/probe`)
    assert.deepEqual([missing.status, missing.body.code], [409, 'FST_BALANCER_ADMIN_MISSING_PLUGIN'])
    const passive = await stage(t, { between: (app) => app.register(healthCheck, { type: 'none' }) })
    const none = await passive.ask('POST', `${backends}/a/probe`)
    assert.deepEqual([none.status, none.body.code], [409, 'FST_BALANCER_HEALTH_NO_PROBES'])
    assert.deepEqual(bare.told, [])
  })
})

describe('circuit', () => {
  test('is held, and let go', async (t) => {
    const {
      app,
      ask: inject,
      told,
    } = await stage(t, {
      between: (server) => server.register(circuitBreaker, { backends: { b: false } }),
    })
    const order = (given: object, id = 'a') => inject('PUT', `${backends}/${id}/circuit`, given)
    const open = await order({ state: 'open', reason: 'deploying' })
    assert.equal(open.status, 200)
    assertIs(CircuitView, open.body)
    assert.deepEqual([open.body.state, open.body.reason], ['isolated', 'deploying'])
    assert.equal((await inject('GET', `${backends}/a`)).body.circuit.state, 'isolated')
    assert.deepEqual(
      app.balancer.backend('a').vetoes.map(({ by, hard }) => [by, hard]),
      [['circuit-breaker', true]],
    )

    // The later order takes the place of the earlier, which is stronger.
    assert.equal((await order({ state: 'closed', ttl: 60_000 })).body.state, 'closed')
    assert.deepEqual(app.balancer.backend('a').vetoes, [])
    const hold = app.circuitBreaker.isolate('a')
    assert.equal((await order({ state: 'closed' })).body.state, 'isolated')
    assert.equal((await order({ state: 'auto' })).body.state, 'closed')
    hold.release()

    const none = await order({ state: 'open' }, 'b')
    assert.deepEqual([none.status, none.body.code], [404, 'FST_BALANCER_CIRCUIT_NO_CIRCUIT'])
    for (const wrong of [{}, { state: 'half-open' }, { state: 'open', ttl: 0 }, { state: 'auto', ttl: 5 }])
      assert.equal((await order(wrong)).status, 400)
    assert.deepEqual(
      told.map(({ what, before, after }) => `${what} ${String(before)} ${String(after)}`),
      [
        'circuit.hold closed isolated',
        'circuit.hold isolated closed',
        'circuit.hold isolated isolated',
        'circuit.release isolated closed',
      ],
    )
  })

  test('is 409 without a circuit breaker', async (t) => {
    const { ask: inject } = await stage(t)
    const { status, body } = await inject('PUT', `${backends}/a/circuit`, { state: 'open' })
    assert.deepEqual([status, body.code], [409, 'FST_BALANCER_ADMIN_MISSING_PLUGIN'])
  })
})

describe('explain', () => {
  test('says who would be picked, sends nothing, and does not move the next pick', async (t) => {
    const some = await startBackends(t, 'a', 'b', 'c')
    const { app, ask: inject } = await stage(t, {
      balancer: { backends: some.map(({ url }, index) => ({ id: 'abc'[index]!, url })) },
    })
    app.balancer.veto(app.balancer.backend('b'), { by: 'me', reason: 'no', evidence: [1] })
    for (let round = 0; round < 6; round++) {
      const { status, body } = await inject('POST', '/balancers/default/explain', {
        method: 'POST',
        url: '/x',
        headers: { 'X-A': ['1'] },
      })
      await inject('POST', '/balancers/default/explain', {})
      assert.equal(status, 200)
      assertIs(ExplanationView, body)
      assert.equal(body.backends[1].vetoes[0].by, 'me')
      assert.equal((await app.inject('/')).body, body.picked)
    }
    assert.deepEqual(
      some.map(({ received }) => received.length),
      [3, 0, 3],
    )
    assert.equal((await inject('POST', '/balancers/default/explain', { headers: { a: 1 } })).status, 400)
  })

  test('hands the request to the policy, with names of headers in lower case', async (t) => {
    const seen: unknown[] = []
    const { ask: inject } = await stage(t, {
      balancer: {
        policy: {
          name: 'mine',
          over: ([first]) => ({ pick: () => first, peek: (request) => (seen.push(request), first) }),
        },
      },
    })
    const { body } = await inject('POST', '/balancers/default/explain', { url: '/x?y', headers: { 'X-Key': 'k' } })
    assert.equal(body.picked, 'a')
    assert.deepEqual(seen, [{ method: 'GET', url: '/x?y', headers: { 'x-key': 'k' } }])
  })
})

describe('ready', () => {
  test('as long as one balancer has a backend that may be used', async (t) => {
    const { app, ask: inject } = await stage(t, {
      between: (server) => server.register(balancer, { name: 'other', route: false, backends: [] }),
    })
    assert.deepEqual(await statusOf(), [200, { ready: true }])
    void app.balancer.drain('a')
    assert.deepEqual(await statusOf(), [200, { ready: true }])
    void app.balancer.drain('b')
    const reason = 'no backend may be picked: 0 of 2 are healthy'
    assert.deepEqual(await statusOf(), [503, { ready: false, reason }])
    assert.equal((await inject('GET', '/live')).status, 200)
    void app.balancer.close()
    assert.deepEqual(await statusOf(), [503, { ready: false, reason: 'closing' }])

    async function statusOf() {
      const { status, body } = await inject('GET', '/ready')
      return [status, body]
    }
  })
})

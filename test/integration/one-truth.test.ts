import fastifyBalancer from 'fastify-balancer'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'

const ids = ['a', 'b', 'c', 'd', 'e']

const down = { by: 'me', reason: 'down' }

/** A balancer of five backends, which answer 500 while `failing` has their id, and the admin routes, where everybody is maria. */
async function start(t: TestContext, options: object = {}) {
  const clock = new ManualClock(5000)
  const log = new LogLines()
  const failing = new Set<string>()
  const servers = await Promise.all(
    ids.map((id) =>
      startBackend(t, (_request, response) => void response.writeHead(failing.has(id) ? 500 : 200).end(id)),
    ),
  )
  const app = Fastify({ logger: log })
  const backends = servers.map(({ url }, index) => ({ id: ids[index]!, url }))
  await app.register(fastifyBalancer, {
    backends,
    clock,
    healthCheck: { type: 'none' },
    circuitBreaker: { jitter: 0 },
    admin: { insecure: true, user: () => 'maria' },
    ...options,
  })
  const { url } = await listenApp(t, app)
  const admin = `${url}/_balancer`
  const get = async (path: string, method = 'GET', body?: object) => {
    const answer = await ask(`${admin}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return JSON.parse(answer.body)
  }
  return { app, url, clock, log, get, failing, servers }
}

/** Everything that says how many backends are healthy, and how many are used. */
async function said({ app, get, log }: Awaited<ReturnType<typeof start>>) {
  void app.balancer.set
  const own = await get('/balancers/default')
  const [summary] = (await get('/balancers')).balancers
  const list = await get('/balancers/default/backends')
  const explained = await get('/balancers/default/explain', 'POST', {})
  const one = await get('/balancers/default/backends/a')
  const count = (backends: any[], name: string) => backends.filter((backend) => backend[name]).length
  const rows = (backends: any[]) => [count(backends, 'available'), count(backends, 'eligible')]
  const line = log.all.findLast(({ msg }) => msg?.startsWith('panic') === true)
  return {
    own: [own.available, own.eligible],
    summary: [summary.available, summary.eligible, summary.backends],
    rows: rows(own.backends),
    list: rows(list.backends),
    explain: rows(explained.backends),
    one: [one.available, one.eligible],
    panicking: own.panicking as boolean,
    log: [line?.['available'], line?.['eligible'], line?.msg],
    ready: await get('/ready'),
  }
}

test('five backends are down: nobody is healthy, all are used, and everything says so', async (t) => {
  const one = await start(t)
  const { app } = one
  const events: any[] = []
  const reading = await fetch(`${one.url}/_balancer/events?type=panic`)
  const reader = reading.body!.pipeThrough(new TextDecoderStream()).getReader()
  t.after(() => reader.cancel())
  const vetoes = app.balancer.backends.map((backend) => app.balancer.veto(backend, down))
  const { log, panicking, ready, ...counts } = await said(one)
  assert.deepEqual(counts, {
    own: [0, 5],
    summary: [0, 5, 5],
    rows: [0, 5],
    list: [0, 5],
    explain: [0, 5],
    one: [false, true],
  })
  assert.deepEqual(log, [0, 5, 'panic mode: 0 of 5 backends are healthy, all 5 are used'])
  assert.deepEqual([panicking, ready], [true, { ready: true }])
  for (let text = ''; events.length === 0;) {
    text += (await reader.read()).value ?? ''
    for (const [, data] of text.matchAll(/^data: (.*)$/gm)) events.push(JSON.parse(data!))
  }
  const { panicking: isPanic, backends, available, eligible, text: sentence } = events[0]
  assert.deepEqual([isPanic, backends, available, eligible, sentence], [true, 5, 0, 5, log[2]])

  vetoes[0]!.lift()
  const after = await said(one)
  assert.deepEqual(
    [after.own, after.rows, after.explain, after.one],
    [
      [1, 1],
      [1, 1],
      [1, 1],
      [true, true],
    ],
  )
  assert.equal(after.log[2], 'panic mode ended: 1 of 5 backends is healthy, 1 is used')
})

test('without panic mode nobody is used, and the server is not ready', async (t) => {
  const one = await start(t, { panicThreshold: false })
  for (const backend of one.app.balancer.backends) one.app.balancer.veto(backend, down)
  const { own, rows, explain, ready } = await said(one)
  assert.deepEqual(
    [own, rows, explain],
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  )
  assert.deepEqual(ready, { ready: false, reason: 'no backend may be picked: 0 of 5 are healthy' })
})

test('in panic mode a drained backend is not used; in order, a lower priority is healthy and not used', async (t) => {
  const one = await start(t)
  const { app } = one
  await app.balancer.update('e', { priority: 1 })
  const first = await said(one)
  assert.deepEqual(
    [first.own, first.rows, first.explain],
    [
      [5, 4],
      [5, 4],
      [5, 4],
    ],
  )
  await app.balancer.drain('a')
  for (const backend of app.balancer.backends) if (backend.id !== 'a') app.balancer.veto(backend, down)
  const { own, rows, one: drained } = await said(one)
  assert.deepEqual(
    [own, rows, drained],
    [
      [0, 3],
      [0, 3],
      [false, false],
    ],
  )
})

test('a drain: who ordered it, when, why, and until when', async (t) => {
  const { get, app } = await start(t)
  const before = Date.now()
  await get('/balancers/default/backends/a/state', 'PUT', { state: 'drain', deadline: 60_000 })
  const [veto] = (await get('/balancers/default/backends/a')).vetoes
  const { since, until, ...rest } = veto
  assert.deepEqual(rest, { by: 'drain', reason: 'ordered by maria', hard: true, who: 'maria' })
  assert.ok(since >= before && since <= Date.now())
  assert.ok(until - since >= 60_000 && until <= Date.now() + 60_000)
  await get('/balancers/default/backends/a/state', 'PUT', { state: 'drain', deadline: 0 })
  assert.equal('until' in (await get('/balancers/default/backends/a')).vetoes[0], false, 'no deadline')
  await get('/balancers/default/backends/a/state', 'PUT', { state: 'maintenance' })
  const both = (await get('/balancers/default/backends/a')).vetoes
  assert.deepEqual(
    both.map(({ by, who }: any) => [by, who]),
    [
      ['drain', 'maria'],
      ['maintenance', 'maria'],
    ],
  )
  await app.balancer.drain('b')
  assert.equal('who' in (await get('/balancers/default/backends/b')).vetoes[0], false, 'the app')
})

test('a held circuit: who holds it, and until when; in its veto, too', async (t) => {
  const { get, clock } = await start(t)
  const path = '/balancers/default/backends/a'
  const held = await get(`${path}/circuit`, 'PUT', { state: 'open', ttl: 30_000 })
  const { state, who, reason, since, until, changesIn } = held
  assert.deepEqual([state, who, reason, changesIn], ['isolated', 'maria', 'held open by maria', 30_000])
  assert.ok(Math.abs(until - since - 30_000) < 1000)
  clock.advance(1000)
  const { circuit, vetoes } = await get(path)
  assert.deepEqual([circuit.who, circuit.until, circuit.changesIn], ['maria', until, 29_000])
  assert.deepEqual(
    [vetoes[0].by, vetoes[0].who, vetoes[0].hard, vetoes[0].until],
    ['circuit-breaker', 'maria', true, until],
  )
  await get(`${path}/circuit`, 'PUT', { state: 'auto' })
  const released = await get(path)
  assert.deepEqual([released.vetoes, 'who' in released.circuit, 'until' in released.circuit], [[], false, false])
})

test('a veto with an end says when it is over: of a ttl, of an open circuit, of an ejection', async (t) => {
  const { app, get, url, servers } = await start(t)
  const vetoesOf = async (id: string) => (await get(`/balancers/default/backends/${id}`)).vetoes as any[]
  app.balancer.veto(app.balancer.backend('a'), { ...down, ttl: 23_000 })
  const [byTtl] = await vetoesOf('a')
  assert.equal(byTtl.until - byTtl.since, 23_000)
  app.balancer.veto(app.balancer.backend('b'), down)
  assert.equal('until' in (await vetoesOf('b'))[0], false)

  await servers[2]!.stop()
  const isOut = () => app.balancer.backend('c').vetoes.length === 2
  for (let turn = 0; turn < 30 && !isOut(); turn++) await ask(url)
  const lasts = (await vetoesOf('c')).map(({ by, since, until }) => [by, Math.round((until - since) / 10_000)])
  assert.deepEqual(Object.fromEntries(lasts), { 'circuit-breaker': 1, 'outlier-detection': 3 })
})

test('all answer 500: those that are not ejected say why, with figures and since when; the log says it once', async (t) => {
  const { app, get, url, failing, log } = await start(t, { circuitBreaker: false })
  for (const id of ids) failing.add(id)
  for (let turn = 0; turn < 60; turn++) await ask(url)
  const backends = (await get('/balancers/default')).backends as any[]
  const ejected = backends.filter(({ vetoes }) => vetoes.length > 0)
  assert.deepEqual(
    ejected.map(({ id, health }) => [id, health]),
    [
      ['a', undefined],
      ['b', undefined],
    ],
  )
  const reason =
    '5 failures in a row (last: status 500), but maxEjected (0.5) allows 2 of 5 backends, and 2 are out already'
  for (const { health } of backends.slice(2)) {
    assert.deepEqual(health, {
      state: 'unknown',
      since: health.since,
      consecutive: 0,
      notEjected: { reason, since: health.since },
    })
    assert.ok(Math.abs(Date.now() - health.since) < 60_000)
  }
  const lines = log.all.flatMap(({ msg, level }) => (msg?.includes('not ejected') === true ? [`${level} ${msg}`] : []))
  assert.deepEqual(
    lines,
    ids.slice(2).map((id) => `40 backend ${id} unhealthy but not ejected: ${reason}`),
  )
  failing.clear()
  assert.equal(app.balancer.set.panicking, false)
})

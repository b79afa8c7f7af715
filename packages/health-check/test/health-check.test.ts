import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { get, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { startBackend, startBackends, unusedOrigin } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { LogLines } from '../../../test/support/log-lines.ts'
import { until } from '../../../test/support/until.ts'
import healthCheck, { faultsOfOptions, type HealthCheckOptions } from '../src/index.ts'

/** An app with backends by these names, behind a balancer whose time stands still. */
async function start(t: TestContext, urls: Readonly<Record<string, string>>, options: HealthCheckOptions = {}) {
  const clock = new ManualClock()
  const log = new LogLines()
  const app = Fastify({ logger: log })
  t.after(() => app.close())
  const backends = Object.entries(urls).map(([id, url]) => ({ id, url }))
  await app.register(balancer, { backends, clock, random: () => 0.5, retry: { attempts: 0 } })
  await app.register(healthCheck, options)
  await app.ready()
  const lines = () =>
    log.all
      .filter((line) => 'by' in line)
      .map(({ level, by, msg }) => `${level} ${String(by)} ${msg}`.replaceAll(/:\d+/g, ':port'))
  return { app, check: app.healthCheck, clock, lines }
}

/** A backend that answers GET with this status. */
function failing(t: TestContext, status: number, headers = {}) {
  return startBackend(t, (request, response: ServerResponse) => {
    response.writeHead(request.method === 'HEAD' ? 200 : status, headers).end()
  })
}

test('a judgement is a veto with its evidence, a line in the log, and part of the history', async (t) => {
  const [well] = await startBackends(t, 'well')
  const { app, check, lines } = await start(t, { dead: await unusedOrigin(), well: well!.url })
  const { active, history } = check.of('dead')
  const [judgement] = history
  assert.equal(active!.state, 'down')
  assert.deepEqual([history.length, judgement!.by, judgement!.good], [1, 'health-check', false])
  const [veto] = app.balancer.backend('dead').vetoes
  assert.deepEqual(
    [veto!.by, veto!.reason, veto!.hard, veto!.evidence],
    ['health-check', judgement!.rule, false, judgement!.evidence],
  )
  assert.deepEqual(lines(), ['40 health-check backend dead unhealthy: first probe failed: connect ECONNREFUSED'])
  assert.deepEqual(check.of('well').history, [])
})

test('it watches the traffic, and forgives by hand', async (t) => {
  const [sick, well] = [await failing(t, 500), (await startBackends(t, 'well'))[0]!]
  const { app, check, lines } = await start(t, { sick: sick.url, well: well.url })
  for (let count = 0; count < 10; count++) await app.inject('/')
  assert.deepEqual(
    app.balancer.backend('sick').vetoes.map(({ by, reason }) => [by, reason]),
    [['outlier-detection', '5 failures in a row (last: status 500)']],
  )
  assert.equal((await app.inject('/')).body, 'well')
  check.forgive('sick')
  assert.deepEqual(app.balancer.backend('sick').vetoes, [])
  assert.deepEqual(
    check.of('sick').history.map(({ by, good }) => [by, good]),
    [
      ['outlier-detection', true],
      ['outlier-detection', false],
    ],
  )
  const [ejected, back, ...more] = lines()
  assert.match(
    String(ejected),
    /^40 outlier-detection backend sick ejected for 3\d(?:\.\d)? s: 5 failures in a row \(last: status 500\)$/,
  )
  assert.equal(back, '30 outlier-detection backend sick back in rotation: lifted by hand')
  assert.deepEqual(more, [])
})

test('a backend that asks for a pause gets it', async (t) => {
  const [busy, well] = [await failing(t, 503, { 'retry-after': '2' }), (await startBackends(t, 'well'))[0]!]
  const { app, clock } = await start(t, { busy: busy.url, well: well.url })
  assert.equal((await app.inject('/')).statusCode, 503)
  for (let count = 0; count < 3; count++) assert.equal((await app.inject('/')).body, 'well')
  clock.advance(1999)
  assert.equal(app.balancer.backend('busy').available, false)
  clock.advance(2)
  assert.equal(app.balancer.backend('busy').available, true)
})

for (const hint of ['0', 'Sun, 01 Mar 2020 00:00:00 GMT']) {
  test(`503 with retry-after: ${hint} asks for no pause, and is a failure`, async (t) => {
    const [sick, well] = [await failing(t, 503, { 'retry-after': hint }), (await startBackends(t, 'well'))[0]!]
    const { app } = await start(t, { sick: sick.url, well: well.url })
    for (let count = 0; count < 10; count++) await app.inject('/')
    assert.deepEqual(
      app.balancer.backend('sick').vetoes.map(({ by, reason }) => [by, reason]),
      [['outlier-detection', '5 failures in a row (last: status 503)']],
    )
  })
}

test('of two that ask for a pause the ceiling lets one have it, and the other fails', async (t) => {
  const busy = await Promise.all([1, 2].map(() => failing(t, 503, { 'retry-after': '5' })))
  const [well] = await startBackends(t, 'well')
  const { app, check } = await start(t, { first: busy[0]!.url, second: busy[1]!.url, well: well!.url })
  for (let count = 0; count < 20; count++) await app.inject('/')
  assert.deepEqual(
    app.balancer.backends.map(({ vetoes }) => vetoes.map(({ by }) => by).join()),
    ['pressure', '', ''],
  )
  const [first, second] = check.toJSON().map(({ passive }) => passive)
  assert.deepEqual([first!.consecutive.failures, first!.interval.attempts], [0, 0])
  assert.ok(second!.consecutive.failures >= 5)
  assert.match(second!.withheld!.rule, /^5 failures in a row \(last: status 503\)/)
})

/** A GET by a client that leaves as soon as it has the headers; answers the status, once both sides know of it. */
async function leaveEarly(app: FastifyInstance, url: string): Promise<number> {
  const status = await new Promise<number>((resolve) => {
    get(url, { agent: false }, (response) => {
      response.destroy()
      resolve(response.statusCode!)
    })
  })
  await until('nothing is under way', () => app.balancer.backends.every(({ inFlight }) => inFlight === 0))
  return status
}

for (const status of [200, 503]) {
  test(`a client that leaves in the middle of a ${status} takes back nothing that its status has said`, async (t) => {
    const endless = await startBackend(t, (request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : status)
      if (request.method === 'HEAD') response.end()
      else response.write('x'.repeat(2000))
    })
    const { app, check } = await start(t, { endless: endless.url, well: (await startBackends(t, 'well'))[0]!.url })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const seen: number[] = []
    for (let count = 0; count < 4; count++) seen.push(await leaveEarly(app, url), (await ask(url)).status)
    assert.deepEqual(new Set(seen), new Set([status, 200]))
    const { consecutive, interval } = check.of('endless').passive
    const failures = status === 503 ? 4 : 0
    assert.deepEqual([consecutive.failures, interval], [failures, { attempts: failures, failures }])
    assert.deepEqual(app.balancer.backend('endless').outcomes, { 'client-gone': 4 })
    await leaveEarly(app, url)
    assert.deepEqual(
      app.balancer.backend('endless').vetoes.map(({ by, reason }) => [by, reason]),
      status === 503 ? [['outlier-detection', '5 failures in a row (last: status 503)']] : [],
    )
  })
}

test('newcomers are probed before they enter, and watched afterwards', async (t) => {
  const [well] = await startBackends(t, 'well')
  const { app, check } = await start(t, { well: well!.url }, { admit: 'all-or-nothing' })
  const dead = await unusedOrigin()
  await assert.rejects(app.balancer.add({ id: 'dead', url: dead }), {
    code: 'FST_BALANCER_REFUSED_BACKENDS',
    message: `Refused, nothing was changed: dead: HEAD ${dead}/: connect ECONNREFUSED`,
  })
  const [other] = await startBackends(t, 'other')
  await app.balancer.add({ id: 'other', url: other!.url })
  assert.deepEqual(
    check.toJSON().map(({ id, active }) => [id, active!.state]),
    [
      ['well', 'up'],
      ['other', 'up'],
    ],
  )
})

test('a probe may be asked for, and counts', async (t) => {
  const backend = await startBackend(t)
  const { check } = await start(t, { a: backend.url }, { fall: 1 })
  const good = await check.probe('a')
  assert.deepEqual([good.good, good.sent, good.received], [true, `HEAD ${backend.url}/`, 'HTTP 200'])
  await backend.stop()
  assert.equal((await check.probe('a')).good, false)
  assert.equal(check.of('a').active!.state, 'down')
  await assert.rejects(check.probe('nobody'), { code: 'FST_BALANCER_UNKNOWN_BACKEND' })
  assert.throws(() => check.of('nobody'), { code: 'FST_BALANCER_UNKNOWN_BACKEND' })
  assert.throws(() => check.forgive('nobody'), { code: 'FST_BALANCER_UNKNOWN_BACKEND' })
})

test('without probes, traffic alone is watched', async (t) => {
  const sick = await failing(t, 500)
  const [well] = await startBackends(t, 'well')
  const { app, check } = await start(t, { sick: sick.url, well: well!.url }, { type: 'none' })
  assert.deepEqual([sick.received.length, check.of('sick').active], [0, undefined])
  await assert.rejects(check.probe('sick'), { code: 'FST_BALANCER_HEALTH_NO_PROBES', statusCode: 409 })
  await app.balancer.add({ id: 'dead', url: await unusedOrigin() })
  assert.equal(app.balancer.backend('dead').available, true)
  await app.balancer.remove('dead')
  for (let count = 0; count < 10; count++) await app.inject('/')
  assert.deepEqual(
    app.balancer.backend('sick').vetoes.map(({ by }) => by),
    ['outlier-detection'],
  )
})

test('a probe of your own is asked even where the type says none', async (t) => {
  const [one] = await startBackends(t, 'one')
  const { check } = await start(t, { one: one!.url }, { type: 'none', probe: async () => assert.fail('it lags') })
  assert.equal(check.of('one').active!.lastProbe!.received, 'it lags')
})

test('a good probe takes back that it could not be reached', async (t) => {
  const backend = await startBackend(t)
  const [well] = await startBackends(t, 'well')
  const { app, check } = await start(t, { a: backend.url, well: well!.url }, { fall: 1000 })
  const { port } = new URL(backend.url)
  await backend.stop()
  for (let count = 0; count < 6; count++) await app.inject('/')
  assert.deepEqual(
    app.balancer.backend('a').vetoes.map(({ by }) => by),
    ['outlier-detection'],
  )
  await new Promise<void>((resolve) => backend.server.listen(Number(port), '127.0.0.1', resolve))
  assert.equal((await check.probe('a')).good, true)
  assert.equal(app.balancer.backend('a').available, true)
})

test('closing the app ends every timer', async (t) => {
  const [one] = await startBackends(t, 'one')
  const { app, clock } = await start(t, { one: one!.url, dead: await unusedOrigin() })
  for (let count = 0; count < 3; count++) await app.inject('/')
  assert.ok(clock.pending > 0)
  await app.close()
  assert.equal(clock.pending, 0)
})

test('a duration may be as long as any other of the balancer, and must be one', () => {
  const everywhere = (duration: number, interval = duration): HealthCheckOptions => ({
    interval: duration,
    timeout: duration,
    fastInterval: duration,
    downInterval: duration,
    outliers: { interval, ejectFor: duration, maxEjectFor: duration },
  })
  const most = 2_147_483_647
  for (const options of [everywhere(1, 10), everywhere(most)]) assert.deepEqual(faultsOfOptions(options), [])
  for (const options of [everywhere(0, 9), everywhere(most + 1)]) assert.equal(faultsOfOptions(options).length, 7)
})

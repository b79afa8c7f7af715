import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBackends } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import balancer, { type BalancerOptions } from '../../src/index.ts'

async function start(t: TestContext, ...all: BalancerOptions[]): Promise<FastifyInstance> {
  const app = Fastify()
  t.after(() => app.close())
  for (const options of all) await app.register(balancer, options)
  return app
}

test('health checks and circuit breakers are on, metrics and admin routes are off', async (t) => {
  const [backend] = await startBackends(t, 'one')
  const app = await start(t, { backends: [backend!.url] })
  assert.equal((await app.inject('/metrics')).body, 'one')
  assert.equal((await app.inject('/_balancer/live')).body, 'one')
  assert.equal(app.healthCheck.balancer, app.balancer)
  assert.equal(app.circuitBreaker.balancer, app.balancer)
  for (const name of ['balancerMetrics', 'mirrors']) assert.equal(app.hasDecorator(name), false)
})

test('a mirror is what its options say, and has to have an address', async (t) => {
  const [one, two, copies] = await startBackends(t, 'one', 'two', 'mirror')
  const app = await start(
    t,
    { name: 'api', prefix: '/api', backends: [one!.url] },
    { name: 'shop', prefix: '/shop', backends: [two!.url], mirror: { to: [copies!.url] } },
  )
  assert.deepEqual([...app.mirrors.keys()], ['shop'])
  assert.equal((await app.inject('/api/1')).body, 'one')
  assert.equal((await app.inject('/shop/1')).body, 'two')
  await until('the copy has ended', () => app.mirrors.get('shop')!.views[0]!.outcomes['2xx'] === 1)
  assert.deepEqual(
    copies!.received.map(({ url, headers }) => [url, headers['x-balancer-mirror']]),
    [['/shop/1', 'shop']],
  )
  for (const [mirror, fault] of [
    [true, 'mirror: expected an object, got true'],
    [{}, 'mirror.to: expected an array, got nothing'],
  ] as const)
    await assert.rejects(start(t, { mirror: mirror as never }), { message: `Bad balancer options: ${fault}` })
})

test('metrics that are asked for are those of every balancer', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  const app = await start(
    t,
    { name: 'api', prefix: '/api', backends: [one!.url], metrics: {} },
    { name: 'shop', prefix: '/shop', backends: [two!.url] },
  )
  assert.equal((await app.inject('/shop/thing')).body, 'two')
  const { body } = await app.inject('/metrics')
  assert.match(body, /^fastify_balancer_requests_total\{balancer="shop",outcome="ok",status="2xx"\} 1$/m)
  assert.match(body, /^fastify_balancer_requests_in_flight\{balancer="api"\} 0$/m)
})

test('every fault says of which option it is', async (t) => {
  const faulty = { paths: 'loose', circuitBreaker: 5, healthCheck: { rise: 0 }, dashboard: {} } as unknown as object
  await assert.rejects(start(t, faulty), ({ message }: Error) => {
    const faults = message.slice(message.indexOf(': ') + 2).split('; ')
    assert.deepEqual(faults, [
      "paths: expected 'strict' or 'as-is', got 'loose'",
      'healthCheck.rise: expected a whole number from 1 to 1000, got 0',
      'circuitBreaker: expected an object, true or false, got 5',
      'dashboard: needs `admin`: add `admin: { onRequest }`',
    ])
    return true
  })
})

test('true is a plugin with its defaults, but not for admin routes, which would be open', async (t) => {
  const [backend] = await startBackends(t, 'one')
  const app = await start(t, {
    backends: [backend!.url],
    healthCheck: true,
    circuitBreaker: true,
    metrics: true,
    underPressure: true,
    admin: { onRequest: isAnna },
    dashboard: true,
  })
  await app.ready()
  for (const name of ['healthCheck', 'circuitBreaker', 'balancerMetrics', 'isUnderPressure'])
    assert.ok(app.hasDecorator(name), name)
  assert.equal((await app.inject({ url: '/_balancer/dashboard/', headers: { 'x-user': 'anna' } })).statusCode, 200)
  await assert.rejects(start(t, { admin: true as never }), /admin: `true` would be open to everyone: give a hook/)
})

test('a name of another system, or one that is misspelt, is answered with ours', async (t) => {
  for (const [given, meant] of Object.entries({
    healthcheck: 'healthCheck',
    health_check: 'healthCheck',
    'health-check': 'healthCheck',
    upstream: 'backends',
    upstreams: 'backends',
    servers: 'backends',
    targets: 'backends',
    timeout: 'timeouts',
    retries: 'retry',
    algorithm: 'policy',
    breaker: 'circuitBreaker',
    stripPrefix: 'rewrite.stripPrefix',
    connectTimeout: 'timeouts.connect',
    outlierDetection: 'healthCheck.outliers',
    ssl: 'pool.tls',
    drain: 'drainDeadline',
    nmae: 'name',
  }))
    await assert.rejects(start(t, { [given]: 1 }), ({ message }: Error) => {
      assert.equal(message, `Bad balancer options: ${given}: unknown option (did you mean ${meant}?)`)
      return true
    })
  const samples: [object, string][] = [
    [
      { healthCheck: { outliers: { latency: { facter: 1 } } } },
      'healthCheck.outliers.latency.facter: unknown option (did you mean factor?)',
    ],
    [{ circuitBreaker: { threshold: 3 } }, 'circuitBreaker.threshold: unknown option (did you mean failures?)'],
    [{ backends: [{ url: 'a:1', weigth: 2 }] }, 'backends.0.weigth: unknown option (did you mean weight?)'],
    [{ nothingLikeIt: 1 }, 'nothingLikeIt: unknown option'],
  ]
  for (const [given, text] of samples)
    await assert.rejects(start(t, given), { message: `Bad balancer options: ${text}` })
})

test('metrics of a second balancer are refused, as what they ask for would not be done', async (t) => {
  const metrics = { path: '/other' }
  await assert.rejects(start(t, { metrics: {} }, { name: 'shop', prefix: '/shop', metrics }), {
    code: 'FST_BALANCER_BAD_OPTIONS',
    message: /metrics: already registered by another balancer/,
  })
})

test('admin routes need somebody who checks who asks, and are not forwarded', async (t) => {
  const [backend] = await startBackends(t, 'one')
  await assert.rejects(start(t, { backends: [backend!.url], admin: {} }), { code: 'FST_BALANCER_ADMIN_UNGUARDED' })
  const refuse = async () => Promise.reject(Object.assign(new Error('who are you?'), { statusCode: 401 }))
  const app = await start(t, { backends: [backend!.url], admin: { onRequest: refuse } })
  for (const path of ['/balancers', '/nothing']) assert.equal((await app.inject(`/_balancer${path}`)).statusCode, 401)
  assert.equal((await app.inject('/else')).body, 'one')
})

const isAnna = async ({ headers }: FastifyRequest) => {
  if (headers['x-user'] !== 'anna') throw Object.assign(new Error('who are you?'), { statusCode: 401 })
}

test('the page is below the admin routes, for those who may look at them', async (t) => {
  const [backend] = await startBackends(t, 'one')
  const admin = { prefix: '/_ops', onRequest: isAnna, read: { onRequest: isLooking } }
  async function isLooking({ headers }: FastifyRequest) {
    if (headers['x-looks'] === undefined) throw Object.assign(new Error('not you'), { statusCode: 403 })
  }
  const app = await start(t, { backends: [backend!.url], admin, dashboard: {} })
  const url = '/_ops/dashboard/'
  assert.equal((await app.inject(url)).statusCode, 401)
  assert.equal((await app.inject({ url, headers: { 'x-user': 'anna' } })).statusCode, 403)
  const page = await app.inject({ url, headers: { 'x-user': 'anna', 'x-looks': 'yes' } })
  assert.deepEqual([page.statusCode, page.headers['content-type']], [200, 'text/html; charset=utf-8'])
  assert.equal((await app.inject('/_balancer/dashboard/')).body, 'one')
})

test('there is no page without admin routes, nor without somebody who checks who asks', async (t) => {
  await assert.rejects(start(t, { backends: [], dashboard: {} }), { message: /dashboard: needs `admin`/ })
  const guarded = { operate: { onRequest: isAnna }, read: { preHandler: [] } }
  await assert.rejects(start(t, { backends: [], admin: guarded, dashboard: {} }), { code: /UNGUARDED$/ })
})

test('the page has the hooks of the admin routes that wait for a body, too', async (t) => {
  const lookers = async ({ headers }: FastifyRequest) => {
    if (headers['x-looks'] === undefined) throw Object.assign(new Error('not you'), { statusCode: 403 })
  }
  const admin = { onRequest: async () => {}, preHandler: isAnna, read: { preHandler: lookers } }
  const app = await start(t, { backends: [], admin, dashboard: {} })
  const url = '/_balancer/dashboard/'
  assert.equal((await app.inject(url)).statusCode, 401)
  assert.equal((await app.inject({ url, headers: { 'x-user': 'anna' } })).statusCode, 403)
  assert.equal((await app.inject({ url, headers: { 'x-user': 'anna', 'x-looks': 'yes' } })).statusCode, 200)
})

test('a process that is not overloaded sheds nothing', async (t) => {
  const [backend] = await startBackends(t, 'one')
  const app = await start(t, { backends: [backend!.url], underPressure: { maxRssBytes: 2 ** 40 } })
  assert.deepEqual([(await app.inject('/')).body, app.isUnderPressure()], ['one', false])
})

test('an overloaded process sheds what it forwards, and shows the admin how it is', async (t) => {
  const [backend] = await startBackends(t, 'one')
  const app = await start(t, {
    backends: [backend!.url],
    admin: { onRequest: isAnna },
    metrics: {},
    dashboard: {},
    underPressure: { maxHeapUsedBytes: 1, sampleInterval: 10, retryAfter: 3 },
  })
  await until('it was measured', () => app.isUnderPressure())
  const { statusCode, headers } = await app.inject('/')
  assert.deepEqual([statusCode, headers['retry-after']], [503, '3'])
  const seen = await app.inject({ url: '/_balancer/balancers', headers: { 'x-user': 'anna' } })
  assert.equal(seen.json().process.overloaded, true)
  assert.equal((await app.inject('/_balancer/balancers')).statusCode, 401)
  // Nor is whoever watches kept out.
  assert.equal((await app.inject('/metrics')).statusCode, 200)
  const pages = ['/_balancer/dashboard/', '/_balancer/dashboard/settings.json', '/_balancer/dashboard']
  for (const url of pages) assert.ok((await app.inject({ url, headers: { 'x-user': 'anna' } })).statusCode < 400, url)
})

test('false leaves a plugin out', async (t) => {
  const app = await start(t, { backends: [], healthCheck: false, circuitBreaker: false, metrics: false })
  for (const name of ['healthChecks', 'circuitBreakers', 'balancerMetrics']) assert.equal(app.hasDecorator(name), false)
})

test('the faults of all plugins are named in one message', async (t) => {
  const bad = {
    nmae: 'x',
    healthCheck: { interval: -1 },
    circuitBreaker: { failures: 'many' },
    metrics: { path: 'metrics' },
    admin: { allow: [5] },
    dashboard: { path: 'page' },
    underPressure: { maxEventLoopDelay: 0 },
  }
  await assert.rejects(start(t, bad as unknown as BalancerOptions), ({ message, code }: Error & { code: string }) => {
    assert.equal(code, 'FST_BALANCER_BAD_OPTIONS')
    const places = ['nmae', 'healthCheck.interval', 'circuitBreaker.failures', 'metrics.path', 'admin.allow.0']
    for (const place of [...places, 'dashboard.path', 'underPressure.maxEventLoopDelay'])
      assert.ok(message.includes(`${place}: `), message)
    return true
  })
})

import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { LogLines } from '../../../test/support/log-lines.ts'
import circuitBreaker, { circuitBreaker as named, type CircuitBreakerOptions } from '../src/index.ts'

function appOf(t: TestContext, options = {}): FastifyInstance {
  const app = Fastify(options)
  t.after(() => app.close())
  return app
}

const backends = [{ url: 'http://a.test', id: 'a' }]

test('is the default export and a named one', () => {
  assert.equal(circuitBreaker, named)
})

test('without the core, the app does not start, and it is said what is missing', async (t) => {
  const app = appOf(t)
  await assert.rejects(
    async () => app.register(circuitBreaker),
    /decorator 'balancers'.*@fastify-balancer\/circuit-breaker/,
  )
})

test('the breaker of the only balancer, and that of the default one', async (t) => {
  const one = appOf(t)
  await one.register(balancer, { name: 'api', backends })
  await one.register(circuitBreaker)
  assert.equal(one.circuitBreaker, one.circuitBreakers.get('api'))
  assert.equal(one.circuitBreaker.balancer, one.balancer)

  const two = appOf(t)
  await two.register(balancer, { name: 'api', backends, route: false })
  await two.register(balancer, { backends, route: false })
  await two.register(circuitBreaker, { balancer: 'api' })
  await two.register(circuitBreaker)
  assert.deepEqual([...two.circuitBreakers.keys()], ['api', 'default'])
  assert.equal(two.circuitBreaker, two.circuitBreakers.get('default'))
})

test('with several and none called default, one has to be named', async (t) => {
  const app = appOf(t)
  for (const name of ['api', 'shop']) await app.register(balancer, { name, backends, route: false })
  await assert.rejects(async () => app.register(circuitBreaker), { code: 'FST_BALANCER_UNKNOWN_BALANCER' })

  const other = appOf(t)
  for (const name of ['api', 'shop']) {
    await other.register(balancer, { name, backends, route: false })
    await other.register(circuitBreaker, { balancer: name })
  }
  assert.throws(() => other.circuitBreaker, {
    code: 'FST_BALANCER_UNKNOWN_BALANCER',
    message: "There are several balancers, none called 'default'; name one of: api, shop",
  })
})

test('the breaker of a default balancer that has none is not that of another one', async (t) => {
  const app = appOf(t)
  for (const name of ['api', 'default']) await app.register(balancer, { name, backends, route: false })
  await app.register(circuitBreaker, { balancer: 'api' })
  assert.throws(() => app.circuitBreaker, {
    code: 'FST_BALANCER_CIRCUIT_NONE',
    message: "The balancer 'default' has no circuit breaker",
  })
})

test('a balancer that is not there, a second breaker and bad options fail at boot', async (t) => {
  for (const [options, message] of [
    [{ balancer: 'shop' }, /^Bad circuit breaker options: balancer: there is no balancer 'shop', only: default$/],
    [{ failurs: 1, growth: 0 }, /failurs: .*; growth: |growth: .*; failurs: /],
    [{}, /^Bad circuit breaker options: balancer: 'default' already has a circuit breaker$/],
  ] as const) {
    const app = appOf(t)
    await app.register(balancer, { backends })
    if (Object.keys(options).length === 0) await app.register(circuitBreaker)
    await assert.rejects(async () => app.register(circuitBreaker, options as CircuitBreakerOptions), {
      code: 'FST_BALANCER_CIRCUIT_BAD_OPTIONS',
      statusCode: 500,
      message,
    })
  }
})

test('may be registered in a scope; the breakers are those of the whole server', async (t) => {
  const app = appOf(t)
  await app.register(async (scope) => {
    await scope.register(balancer, { name: 'inner', backends, prefix: '/inner' })
    await scope.register(circuitBreaker)
  })
  await app.register(balancer, { backends })
  await app.register(circuitBreaker)
  assert.deepEqual([...app.circuitBreakers.keys()], ['inner', 'default'])
})

test('two servers of one process know nothing of each other', async (t) => {
  const apps = [appOf(t), appOf(t)] as const
  for (const app of apps) {
    await app.register(balancer, { backends })
    await app.register(circuitBreaker)
  }
  assert.notEqual(apps[0].circuitBreaker, apps[1].circuitBreaker)
})

test('options for a backend that is not there may be for one to come, and are warned of', async (t) => {
  const log = new LogLines()
  const app = appOf(t, { logger: log })
  await app.register(balancer, { backends })
  await app.register(circuitBreaker, { backends: { a: false, b: { failures: 1 } } })
  assert.deepEqual(
    log.all.map(({ level, backend, msg }) => [level, backend, msg]),
    [[40, 'b', "circuit breaker: options for backend 'b', which is not in the list"]],
  )
})

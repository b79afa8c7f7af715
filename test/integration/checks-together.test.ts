import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify, { type FastifyInstance } from 'fastify'
import facade from 'fastify-balancer'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBackends, unusedOrigin } from '../support/backend.ts'
import { startProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

/** An app that is closed when the test ends; its boot need not succeed. */
function newApp(t: TestContext): FastifyInstance {
  const app = Fastify()
  t.after(() => app.close())
  return app
}

/** What is at boot: registering alone need not fail yet. */
async function boot(app: FastifyInstance): Promise<void> {
  await app.ready()
}

const combinations = [
  'the core',
  'a health check',
  'a circuit breaker',
  'both',
  'the facade',
  'the bare facade',
] as const

for (const combination of combinations) {
  test(`${combination}: requests pass, and what is checked is what was asked for`, async (t) => {
    const [well] = await startBackends(t, 'well')
    const backends = [
      { id: 'well', url: well!.url },
      { id: 'dead', url: await unusedOrigin() },
    ]
    const app = newApp(t)
    const isFacade = combination.endsWith('facade')
    const isBare = combination === 'the bare facade'
    const checked = ['a health check', 'both', 'the facade'].includes(combination)
    const broken = ['a circuit breaker', 'both', 'the facade'].includes(combination)
    if (isFacade) await app.register(facade, { backends, ...(isBare && { healthCheck: false, circuitBreaker: false }) })
    else {
      await app.register(balancer, { backends })
      if (checked) await app.register(healthCheck)
      if (broken) await app.register(circuitBreaker)
    }
    for (let count = 0; count < 8; count++) assert.equal((await app.inject('/')).body, 'well')
    const dead = app.balancer.backend('dead')
    assert.deepEqual(
      dead.vetoes.map(({ by }) => by),
      [...(checked ? ['health-check'] : []), ...(broken && !checked ? ['circuit-breaker'] : [])],
    )
    // The first round of probes keeps all from it, or the third failure the rest. Otherwise it is always its turn, since
    // each retry takes that of the other.
    assert.equal(dead.requests, checked ? 0 : broken ? 3 : 7)
    for (const [name, isThere] of [
      ['healthCheck', checked],
      ['healthChecks', checked],
      ['circuitBreaker', broken],
      ['circuitBreakers', broken],
    ] as const)
      assert.equal(app.hasDecorator(name), isThere, name)
    if (checked) assert.equal(app.healthCheck.of('dead').active?.state, 'down')
    if (broken) assert.equal(app.circuitBreaker.of('dead').state, checked ? 'closed' : 'open')
  })
}

for (const [name, plugin] of [
  ['@fastify-balancer/health-check', healthCheck],
  ['@fastify-balancer/circuit-breaker', circuitBreaker],
] as const) {
  test(`${name} without the core fails at boot, by name`, async (t) => {
    const app = newApp(t)
    void app.register(plugin)
    await assert.rejects(boot(app), (error: Error) => {
      assert.match(error.message, /'balancers'/)
      assert.match(error.message, new RegExp(`'${name}'`))
      return true
    })
  })
}

test('several balancers have a check each, of their own', async (t) => {
  const dead = await unusedOrigin()
  const [one, two] = await startBackends(t, 'one', 'two')
  const app = newApp(t)
  const backendsOf = (url: string) => [
    { id: 'well', url },
    { id: 'dead', url: dead },
  ]
  await app.register(balancer, { name: 'one', prefix: '/one', backends: backendsOf(one!.url) })
  await app.register(balancer, { name: 'two', prefix: '/two', backends: backendsOf(two!.url) })
  await app.register(healthCheck, { balancer: 'one' })
  await app.register(circuitBreaker, { balancer: 'two' })
  for (let count = 0; count < 8; count++) {
    assert.equal((await app.inject('/one')).body, 'one')
    assert.equal((await app.inject('/two')).body, 'two')
  }
  assert.deepEqual([[...app.healthChecks.keys()], [...app.circuitBreakers.keys()]], [['one'], ['two']])
  const vetoes = [...app.balancers.values()].map((each) => each.backend('dead').vetoes.map(({ by }) => by))
  assert.deepEqual(vetoes, [['health-check'], ['circuit-breaker']])
})

test('each of several balancers may have both checks, through the facade too', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  const app = newApp(t)
  await app.register(facade, { name: 'one', prefix: '/one', backends: [one!.url] })
  await app.register(facade, { name: 'two', prefix: '/two', backends: [two!.url] })
  assert.equal((await app.inject('/one')).body, 'one')
  assert.equal((await app.inject('/two')).body, 'two')
  assert.deepEqual([...app.healthChecks.keys()], ['one', 'two'])
  assert.deepEqual([...app.circuitBreakers.keys()], ['one', 'two'])
  for (const name of ['one', 'two']) {
    assert.equal(app.healthChecks.get(name)!.balancer, app.balancers.get(name))
    assert.equal(app.circuitBreakers.get(name)!.balancer, app.balancers.get(name))
  }
  // As for the balancers themselves: of several, none is the default one by chance.
  for (const get of [() => app.balancer, () => app.healthCheck, () => app.circuitBreaker])
    assert.throws(get, { code: 'FST_BALANCER_UNKNOWN_BALANCER', message: /one, two/ })
})

test('the checks of the default balancer are the default ones; to ask for one that it has not is an error', async (t) => {
  const app = newApp(t)
  await app.register(balancer, { route: false })
  await app.register(balancer, { name: 'other', route: false })
  await app.register(healthCheck, { balancer: 'other' })
  await app.register(circuitBreaker, { balancer: 'other' })
  await app.ready()
  assert.throws(() => app.healthCheck, { code: 'FST_BALANCER_HEALTH_NONE', message: /'default'/ })
  assert.throws(() => app.circuitBreaker, { code: 'FST_BALANCER_CIRCUIT_NONE', message: /'default'/ })
  assert.equal(app.healthChecks.get('other')!.balancer.name, 'other')
  assert.equal(app.circuitBreakers.get('other')!.balancer.name, 'other')
})

for (const [code, plugin] of [
  ['FST_BALANCER_HEALTH_BAD_OPTIONS', healthCheck],
  ['FST_BALANCER_CIRCUIT_BAD_OPTIONS', circuitBreaker],
] as const) {
  test(`${code}: for a balancer that there is not, and for one that has one already`, async (t) => {
    const unknown = newApp(t)
    void unknown.register(balancer, { name: 'api' })
    void unknown.register(plugin, { balancer: 'apl' })
    await assert.rejects(boot(unknown), { code, statusCode: 500, message: /'apl'.*api/ })

    for (const second of [{}, { balancer: 'default' }]) {
      const twice = newApp(t)
      void twice.register(balancer)
      void twice.register(plugin)
      void twice.register(plugin, second)
      await assert.rejects(boot(twice), { code, statusCode: 500, message: /'default'/ })
    }
  })
}

test('bad options name every fault at once', async (t) => {
  const checks = newApp(t)
  void checks.register(balancer)
  void checks.register(healthCheck, { interval: 0, rise: 'two', outliers: { maxEjected: 2 }, nonsense: 1 } as object)
  await assert.rejects(boot(checks), (error: Error) => {
    for (const place of ['interval', 'rise', 'outliers.maxEjected', 'nonsense'])
      assert.match(error.message, new RegExp(`(: |; )${place}: `))
    return true
  })

  const breakers = newApp(t)
  void breakers.register(balancer)
  void breakers.register(circuitBreaker, {
    failures: -1,
    growth: 0,
    backends: { a: { trials: 0 } },
    nonsense: 1,
  } as object)
  await assert.rejects(boot(breakers), (error: Error) => {
    for (const place of ['failures', 'growth', 'backends.a.trials', 'nonsense'])
      assert.match(error.message, new RegExp(`(: |; )${place}: `))
    return true
  })
})

test('the facade names the faults of all three plugins in one message', async (t) => {
  const app = newApp(t)
  const options = {
    policy: 'rond-robin',
    timeouts: { headers: -1 },
    nonsense: 1,
    healthCheck: { interval: 0, nonsense: 1, expect: { body: 'needs GET' } },
    circuitBreaker: { failures: -1, nonsense: 1, rate: { calls: 0 } },
  }
  void app.register(facade, options as object)
  await assert.rejects(boot(app), (error: Error & { code: string }) => {
    assert.equal(error.code, 'FST_BALANCER_BAD_OPTIONS')
    for (const place of [
      'policy',
      'timeouts.headers',
      'nonsense',
      'healthCheck.interval',
      'healthCheck.nonsense',
      'circuitBreaker.failures',
      'circuitBreaker.nonsense',
      'circuitBreaker.rate.calls',
    ])
      assert.match(error.message, new RegExp(`(: |; )${place}: `))
    return true
  })
})

for (const part of ['healthCheck', 'circuitBreaker'] as const) {
  test(`${part}: true is that plugin with its defaults; another kind of value is a fault of this option`, async (t) => {
    const app = newApp(t)
    await app.register(facade, { backends: [await unusedOrigin()], [part]: true })
    await boot(app)
    assert.ok(app.hasDecorator(part))
    for (const value of ['true', 1, [], null]) {
      const wrong = newApp(t)
      void wrong.register(facade, { [part]: value } as object)
      await assert.rejects(boot(wrong), {
        code: 'FST_BALANCER_BAD_OPTIONS',
        message: new RegExp(`${part}: expected an object(?:, true or false)?, got `),
      })
    }
  })
}

test('once closed, nothing is left that keeps the process alive', async (t) => {
  const file = fileURLToPath(new URL('../reliability/sick-backends/closing-program.ts', import.meta.url))
  const program = startProgram(t, file)
  const [, before, after] = await program.until(/^closed: (\d+) timers before, (\d+) after$/)
  const closedAt = performance.now()
  assert.ok(Number(before) >= 10, `everything was under way: ${before} timers`)
  assert.equal(after, '0')
  let exit: Awaited<typeof program.exit> | undefined
  void program.exit.then((how) => (exit = how))
  await until('it has ended by itself', () => exit !== undefined)
  assert.deepEqual({ exit, stderr: program.stderr }, { exit: { code: 0, signal: null }, stderr: [] })
  t.diagnostic(
    `${before} timers before it was closed, ${after} after; ended ${(performance.now() - closedAt).toFixed(0)} ms later`,
  )
})

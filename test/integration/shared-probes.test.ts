import balancer, { type BackendOptions } from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import fleet, { MemoryStore, type Store } from '@fastify-balancer/fleet'
import healthCheck, { type HealthCheckOptions } from '@fastify-balancer/health-check'
import metrics from '@fastify-balancer/metrics'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBackend, startBackends, type TestBackend } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'

/** Instances whose time stands still until the test moves it; they share one store. */
class Instances {
  readonly clock = new ManualClock(1000)
  /** What all have logged. */
  readonly log = new LogLines()
  readonly #t: TestContext
  readonly #backends: readonly BackendOptions[]
  readonly #options: HealthCheckOptions
  readonly #store: Store
  #count = 0

  constructor(
    t: TestContext,
    backends: readonly TestBackend[],
    options: HealthCheckOptions = {},
    store: Store = new MemoryStore(),
  ) {
    this.#t = t
    this.#backends = backends.map(({ url }, index) => ({ id: 'abc'[index]!, url }))
    // Time leaps, and a probe over real sockets must not meet its limit by that.
    this.#options = { jitter: 0, timeout: 600_000, ...options }
    this.#store = store
  }

  /** One that is not started yet. */
  async create(options: HealthCheckOptions = {}): Promise<FastifyInstance> {
    const app = Fastify({ logger: this.log })
    this.#t.after(() => app.close())
    await app.register(fleet, { store: this.#store, id: String(++this.#count), heartbeat: 60_000 })
    await app.register(balancer, {
      backends: [...this.#backends],
      clock: this.clock,
      random: () => 0.5,
      retry: { attempts: 0 },
    })
    await app.register(healthCheck, { ...this.#options, ...options })
    await app.register(circuitBreaker)
    heard.set(app, 0)
    app.balancer.extensions.set('listener', { probed: () => heard.set(app, heard.get(app)! + 1) })
    return app
  }

  async start(options?: HealthCheckOptions): Promise<FastifyInstance> {
    const app = await this.create(options)
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app
  }

  /** So many, one after the other. */
  async startAll(count: number): Promise<FastifyInstance[]> {
    const apps: FastifyInstance[] = []
    // oxlint-disable-next-line no-await-in-loop -- their age decides
    for (let number = 0; number < count; number++) apps.push(await this.start())
    return apps
  }
}

const probesOf = ({ received }: TestBackend) => received.filter(({ method }) => method === 'HEAD').length

/** How many conclusive probes each app has heard of, by itself or by others. */
const heard = new WeakMap<FastifyInstance, number>()

/** All have heard of so many probes, each of them of every one. */
async function untilHeard(apps: readonly FastifyInstance[], wanted: number): Promise<void> {
  await until(`all have heard of ${wanted} probes`, () => apps.every((app) => heard.get(app)! >= wanted))
  for (const app of apps) assert.equal(heard.get(app), wanted)
}

test('however many instances there are, each interval brings a backend one probe, and all take its report', async (t) => {
  const backends = await startBackends(t, 'a', 'b')
  const instances = new Instances(t, backends)
  const apps = await instances.startAll(4)
  assert.deepEqual(backends.map(probesOf), [1, 1], 'those that join take what is known')
  for (let round = 2; round < 8; round++) {
    instances.clock.advance(5000)
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    await untilHeard(apps, 2 * round)
  }
  assert.deepEqual(backends.map(probesOf), [7, 7])
})

test('of those that start at the same moment one probes, and all have a result before they listen', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const instances = new Instances(t, [backend!])
  const apps = await Promise.all(Array.from({ length: 5 }, () => instances.create()))
  const states = await Promise.all(
    apps.map(async (app) => {
      await app.ready()
      return app.healthCheck.of('a').active!.state
    }),
  )
  assert.deepEqual(states, ['up', 'up', 'up', 'up', 'up'])
  assert.equal(probesOf(backend!), 1)
})

test('a backend that fails is unhealthy for all, after as many probes as for one instance, and comes back alike', async (t) => {
  let status = 200
  const backend = await startBackend(t, (_request, response) => response.writeHead(status).end())
  const instances = new Instances(t, [backend])
  const apps = await instances.startAll(3)
  const reasons = () =>
    apps.map((app) =>
      app.balancer
        .backend('a')
        .vetoes.map(({ reason }) => reason)
        .join(),
    )
  status = 500
  let wanted = 1
  for (const pause of [5000, 1000, 1000]) {
    assert.deepEqual(reasons(), ['', '', ''])
    instances.clock.advance(pause)
    // oxlint-disable-next-line no-await-in-loop -- one probe after the other
    await untilHeard(apps, ++wanted)
  }
  const reason = '3 probes in a row failed: status 500 is not expected'
  assert.deepEqual(reasons(), [reason, reason, reason])
  status = 200
  for (const pause of [5000, 1000]) {
    instances.clock.advance(pause)
    // oxlint-disable-next-line no-await-in-loop -- one probe after the other
    await untilHeard(apps, ++wanted)
  }
  assert.deepEqual(reasons(), ['', '', ''])
  assert.equal(probesOf(backend), 6)
  assert.deepEqual(
    instances.log.all.flatMap(({ msg, by }) => (by === 'health-check' ? msg : [])),
    [`backend a unhealthy: ${reason}`, 'backend a back in rotation: 2 probes in a row succeeded: HTTP 200'],
    'said once, by the instance that has probed',
  )
})

test('when the keeper leaves, the next one probes, and no other', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const instances = new Instances(t, [backend!])
  const [first, ...others] = await instances.startAll(3)
  await first!.close()
  instances.clock.advance(5000)
  await untilHeard(others, 2)
  instances.clock.advance(5000)
  await untilHeard(others, 3)
  assert.equal(probesOf(backend!), 3)
})

/** A store that loses hints while it is told to. */
class LossyStore extends MemoryStore {
  isLosing = false

  override publish(topic: string, message: unknown): void {
    if (!this.isLosing) super.publish(topic, message)
  }
}

test('when nothing is heard of the keeper for two intervals, each probes for itself', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const store = new LossyStore()
  const instances = new Instances(t, [backend!], { timeout: 60_000 }, store)
  const apps = await instances.startAll(3)
  store.isLosing = true
  // 10 s, and the time limit of a probe.
  for (let passed = 0; passed < 70_000; passed += 5000) {
    instances.clock.advance(5000)
    const [keeper] = apps
    // oxlint-disable-next-line no-await-in-loop -- one probe after the other
    await until('the keeper has probed', () => heard.get(keeper!) === passed / 5000 + 2)
  }
  await until('the others have, too', () => apps.slice(1).every((app) => heard.get(app) === 2))
  assert.equal(probesOf(backend!), 1 + 14 + 2)
})

test('new backends are probed once, by the instance that adds them, and an unhealthy one gets no traffic anywhere', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const added = await startBackend(t, (_request, response) => response.writeHead(503).end())
  const instances = new Instances(t, [backend!])
  const apps = await instances.startAll(3)
  await apps[1]!.balancer.add({ id: 'new', url: added.url })
  for (const app of apps) {
    assert.equal(app.healthCheck.of('new').active!.state, 'down')
    assert.deepEqual(
      app.balancer.backend('new').vetoes.map(({ reason }) => reason),
      ['first probe failed: status 503 is not expected'],
    )
  }
  assert.equal(probesOf(added), 1)
  const fourth = await instances.start()
  assert.equal(fourth.healthCheck.of('new').active!.state, 'down')
  assert.equal(probesOf(added), 1, 'one that joins asks the others')
})

test('the metrics count each probe once, however many instances hear of it', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const added = await startBackend(t)
  const instances = new Instances(t, [backend!])
  const apps = await Promise.all([instances.create(), instances.create(), instances.create()])
  for (const app of apps) {
    // oxlint-disable-next-line no-await-in-loop -- their age decides
    await app.register(metrics)
    // oxlint-disable-next-line no-await-in-loop -- one begins by probing, and the others with what it has found
    await app.listen({ port: 0, host: '127.0.0.1' })
  }
  await apps[1].balancer.add({ id: 'new', url: added.url })
  await untilHeard(apps, 2)
  instances.clock.advance(5000)
  await untilHeard(apps, 4)
  const { body } = await apps[2].inject('/metrics')
  const counted = [...body.matchAll(/^fastify_balancer_probes_total\{.*backend="(\w+)",outcome="good"\} (\d+)$/gm)]
  assert.deepEqual(
    counted.map(([, id, count]) => [id, Number(count)]),
    [
      ['a', probesOf(backend!)],
      ['new', probesOf(added)],
    ],
  )
  assert.deepEqual([probesOf(backend!), probesOf(added)], [2, 2])
})

test('a probe on demand is made by the instance that is asked, and all hear of it', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const instances = new Instances(t, [backend!])
  const apps = await instances.startAll(3)
  const report = await apps[2]!.healthCheck.probe('a')
  await untilHeard(apps, 2)
  for (const app of apps) assert.deepEqual(app.healthCheck.of('a').active!.lastProbe, report)
  assert.equal(probesOf(backend!), 2)
})

/** What is due by now is done, until all have heard of so many probes. */
async function untilLooked(instances: Instances, apps: readonly FastifyInstance[], wanted: number): Promise<void> {
  await until('the keeper has looked', () => {
    instances.clock.advance(0)
    return apps.every((app) => heard.get(app) === wanted)
  })
}

test('an ejection makes the keeper look at once, and ejects nowhere else', async (t) => {
  const backend = await startBackend(t, (request, response) =>
    response.writeHead(request.method === 'HEAD' ? 200 : 500).end(),
  )
  const [well] = await startBackends(t, 'b')
  const instances = new Instances(t, [backend, well!])
  const apps = await instances.startAll(3)
  instances.clock.advance(1500)
  for (let count = 0; count < 12; count++) await apps[1]!.inject('/')
  assert.deepEqual(
    apps[1]!.balancer.backend('a').vetoes.map(({ by }) => by),
    ['outlier-detection'],
  )
  await untilLooked(instances, apps, 3)
  assert.deepEqual([probesOf(backend), probesOf(well!)], [2, 1])
  for (const app of [apps[0]!, apps[2]!]) assert.deepEqual(app.balancer.backend('a').vetoes, [])
})

test('a circuit that opens makes the keeper look at once, and opens nowhere else', async (t) => {
  const backend = await startBackend(t, (request, response) =>
    response.writeHead(request.method === 'HEAD' ? 200 : 502).end(),
  )
  const backends = [backend, (await startBackends(t, 'b'))[0]!]
  const instances = new Instances(t, backends, { outliers: false })
  const apps = await instances.startAll(3)
  instances.clock.advance(1500)
  for (let count = 0; count < 6; count++) await apps[2]!.inject('/')
  await untilLooked(instances, apps, 3)
  assert.deepEqual(backends.map(probesOf), [2, 1])
  assert.deepEqual(
    apps.map((app) => app.circuitBreaker.of('a').state),
    ['closed', 'closed', 'open'],
  )
})

test('requests that cannot reach a backend make the keeper look at once', async (t) => {
  const backend = await startBackend(t, (request, response) =>
    request.method === 'HEAD' ? response.end() : request.socket.destroy(),
  )
  const instances = new Instances(t, [backend])
  const apps = await instances.startAll(2)
  instances.clock.advance(1500)
  assert.equal((await apps[1]!.inject('/')).statusCode, 502)
  await untilLooked(instances, apps, 2)
  assert.equal(probesOf(backend), 2)
})

test("probes that are switched off are another instance's, and switched on they are shared again", async (t) => {
  const [backend] = await startBackends(t, 'a')
  const instances = new Instances(t, [backend!])
  const apps = await instances.startAll(2)
  const [first, second] = apps
  const change = async (type: 'none' | 'http') => {
    const { options } = first!.balancer
    const given = { jitter: 0, timeout: 600_000, type }
    const prepared = await first!.balancer.prepare(
      { ...options, policy: 'round-robin' },
      { beside: { 'health-check': given } },
    )
    assert.deepEqual(prepared.faults, [])
    prepared.commit()
  }
  await change('none')
  await until('the other one is told', () => second!.fleet!.instances[0]!.about['probes/default'] === undefined)
  instances.clock.advance(5000)
  await untilHeard([second!], 2)
  await change('http')
  await until('the other one is told', () => second!.fleet!.instances[0]!.about['probes/default'] !== undefined)
  instances.clock.advance(5000)
  await untilHeard([second!], 3)
  await untilHeard([first!], 2)
  assert.equal(probesOf(backend!), 3)
})

test('an instance without probes leaves them to the others', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const instances = new Instances(t, [backend!])
  const without = await instances.start({ type: 'none' })
  const apps = await instances.startAll(2)
  assert.equal(probesOf(backend!), 1)
  instances.clock.advance(5000)
  await untilHeard(apps, 2)
  assert.deepEqual([probesOf(backend!), heard.get(without)], [2, 0])
})

test('while options differ, each probes by its own, and reports by others do not count', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const instances = new Instances(t, [backend!])
  const apps = await instances.startAll(2)
  const other = await instances.start({ path: '/health' })
  assert.deepEqual(
    backend!.received.map(({ url }) => url),
    ['/', '/health'],
  )
  instances.clock.advance(5000)
  await untilHeard([...apps, other], 2)
  assert.equal(probesOf(backend!), 4)
})

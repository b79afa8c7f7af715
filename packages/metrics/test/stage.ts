import balancer, { type BalancerOptions, type Policy } from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import mirror from '@fastify-balancer/mirror'
import Fastify, { type FastifyInstance } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { rawClient } from '../../../test/support/raw.ts'
import { until } from '../../../test/support/until.ts'
import { handshake, startUpgradeBackend } from '../../../test/support/upgrade-backend.ts'
import metrics from '../src/index.ts'
import type { FleetView } from '../src/instances/fleet.ts'

/** The first that was not tried yet. */
const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

/** A fleet in which one other instance has an older list, one does not answer, and one is missing. */
function sickFleet(): FleetView {
  const instances = ['this', 'late', 'stuck'].map((id) => ({
    id,
    state: 'ready' as const,
    about: { metrics: true, wanted: 4 },
  }))
  const balancers = [{ name: 'shop', revision: 0, rows: [] }]
  const late = { figures: { columns: [], shapes: [], balancers }, readings: [] }
  // What health checks use of it.
  const silent = { publish() {}, subscribe: () => () => {}, onChange: () => () => {}, announce: async () => {} }
  return {
    ...silent,
    id: 'this',
    instances,
    ask: async <Answer>(topic: string) => ({
      answers: new Map<string, Answer>(topic === 'metrics' ? [['late', late as Answer]] : []),
    }),
    answer: () => () => {},
    tell: () => () => {},
    legacy: () => ({ save: async () => {}, departed: async () => undefined }),
  }
}

/** A server at which everything can go wrong, each in a balancer of its own. Its metrics have every line that there may be. */
export interface Stage {
  readonly app: FastifyInstance
  /** Its `host:port`. */
  readonly host: string
  /** Lets everything go wrong, once. */
  burst(): Promise<void>
}

/** Starts it. */
export async function startStage(t: TestContext): Promise<Stage> {
  const well = await startBackend(t, (request, response) =>
    response.writeHead(Number(/\d{3}$/.exec(request.url!)?.[0] ?? 200)).end('well'),
  )
  const held: ServerResponse[] = []
  const hanging = await startBackend(t, (_request, response) => void held.push(response))
  t.after(() => held.forEach((response) => response.end()))
  let fails = true
  const shaky = await startBackend(t, (_request, response) => response.writeHead(fails ? 503 : 200).end())
  const tunnels = await startUpgradeBackend(t)
  const dead = await unusedOrigin()
  const clock = new ManualClock(1000)
  const app = Fastify()
  const fleet = sickFleet()
  app.decorate('fleet', { getter: () => fleet as never })
  // What fastify-balancer decorates an app with that sheds load.
  const shedding = { total: 0, since: undefined }
  app.decorate('balancerShedding', { getter: () => shedding })
  const start = (name: string, backends: NonNullable<BalancerOptions['backends']>, options: BalancerOptions = {}) =>
    app.register(balancer, { name, prefix: `/${name}`, backends, ...options })
  await start(
    'shop',
    [
      { id: 'dead', url: dead },
      { id: 'well', url: well.url },
    ],
    { policy: inOrder },
  )
  await app.register(metrics)
  await app.register(circuitBreaker, { balancer: 'shop' })
  await app.register(mirror, { balancer: 'shop', to: [well.url], methods: ['GET'] })
  const priority = { classes: ['high', 'low'], default: 'low', header: 'x-priority' }
  await start('full', [{ id: 'one', url: hanging.url, maxInFlight: 1 }], {
    queue: { max: 1, priority },
    timeouts: { queue: 0 },
  })
  await start('down', [{ id: 'dead', url: dead }])
  await app.register(healthCheck, { balancer: 'down' })
  await start('slow', [hanging.url], { clock })
  await start(
    'shaky',
    [
      { id: 'shaky', url: shaky.url },
      { id: 'well', url: well.url },
    ],
    { policy: inOrder, clock, retry: { attempts: 0 } },
  )
  await app.register(circuitBreaker, { balancer: 'shaky', failures: 1, openFor: 1000, growth: 1, jitter: 0 })
  await start(
    'outlier',
    [
      { id: 'dead', url: dead },
      { id: 'well', url: well.url },
    ],
    { policy: inOrder },
  )
  await app.register(healthCheck, { balancer: 'outlier', type: 'none' })
  await start('chat', [tunnels.url])
  const { url, port } = await listenApp(t, app)

  async function flap(): Promise<void> {
    for (let round = 0; round < 5; round++) {
      fails = true
      await ask(`${url}/shaky`)
      fails = false
      clock.advance(1000)
      await ask(`${url}/shaky`)
    }
  }
  async function beSlow(): Promise<void> {
    const before = held.length
    const answer = ask(`${url}/slow`)
    await until('it has arrived', () => held.length > before)
    clock.advance(5000)
    held.at(-1)!.end()
    await answer
  }
  async function chat(): Promise<void> {
    const [first, second] = [await rawClient(t, port), await rawClient(t, port)]
    for (const client of [first, second]) {
      client.send(handshake('/chat'))
      await client.until(/ 101 /)
    }
    tunnels.connections[0]!.socket.write('back')
    await first.until(/back$/)
    await [...app.balancers.get('chat')!.tunnels][0]!.shutDown('operator')
  }
  async function fillQueue(): Promise<void> {
    const full = app.balancers.get('full')!
    const leaving = new AbortController()
    t.after(() => leaving.abort())
    void ask(`${url}/full`, { signal: leaving.signal })
    void ask(`${url}/full`, { signal: leaving.signal })
    await until('one is served, and one waits', () => full.exchanges === 2 && full.queue.length === 1)
    await ask(`${url}/full`)
  }
  async function burst(): Promise<void> {
    await fillQueue()
    await beSlow()
    await flap()
    await chat()
    for (const path of ['200', '302', '404', '500'])
      for (let sent = 0; sent < 5; sent++) await ask(`${url}/shop/${path}`)
    await ask(`${url}/shop`, { method: 'POST', headers: { 'content-type': 'application/grpc' } })
    for (let sent = 0; sent < 12; sent++) await ask(`${url}/down`)
    for (let sent = 0; sent < 3; sent++) await ask(`${url}/outlier`)
    shedding.total++
    // Then it is known who is missing.
    await app.balancerMetrics.text()
  }
  return { app, host: url.replace('http://', ''), burst }
}

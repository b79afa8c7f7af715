import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import balancerPlugin, { type BalancerOptions } from '../../src/index.ts'

/** A balancer over one backend, which answers at once, except to `/held`. */
async function forwarding(t: TestContext, options: BalancerOptions = {}) {
  const held: ServerResponse[] = []
  const backend = await startBackend(t, (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/held') held.push(response)
    else response.end(`${request.headers.host} ${request.url}`)
  })
  let connections = 0
  backend.server.on('connection', () => connections++)
  const clock = new ManualClock()
  const app = Fastify()
  t.after(() => app.close())
  const backends = [{ id: 'a', url: backend.url }]
  await app.register(balancerPlugin, { backends, clock, ...options })
  app.get('/own', (_request, reply) => reply.forward())
  const url = await app.listen()
  const change = async (given: BalancerOptions) => {
    const prepared = await app.balancer.prepare({ backends, ...given })
    assert.deepEqual(prepared.faults, [])
    prepared.commit()
  }
  return { app, backend, clock, url, held, change, connections: () => connections }
}

test('a request in progress ends by the time limits that it began with; the next has the new ones', async (t) => {
  const { app, url, held, clock, change } = await forwarding(t, { timeouts: { headers: 30_000 } })
  const running = ask(`${url}/held`)
  await until('the backend has it', () => held.length === 1)
  await change({ timeouts: { headers: 100 } })
  clock.advance(5000)
  const second = ask(`${url}/held`)
  await until('the backend has the second', () => held.length === 2)
  clock.advance(1000)
  assert.equal((await second).status, 504)
  held[0]!.end('whole')
  assert.equal((await running).body, 'whole')
  assert.deepEqual(app.balancer.backend('a').outcomes, { ok: 1, 'headers-timeout': 1 })
})

test('rules of routes change for the next request, over the same connection to the backend', async (t) => {
  const { url, backend, change, connections } = await forwarding(t)
  const { host } = new URL(backend.url)
  const own = new URL(url).host
  assert.equal((await ask(`${url}/a`)).body, `${own} /a`)
  assert.equal((await ask(`${url}/own`)).body, `${own} /own`)
  await change({ host: 'backend', failureHeader: true, retry: { attempts: 0 }, timeouts: { connect: 5 } })
  assert.equal((await ask(`${url}/a`)).body, `${host} /a`)
  assert.equal((await ask(`${url}/own`)).body, `${host} /own`)
  await change({ host: 'x.test', paths: 'as-is' })
  assert.equal((await ask(`${url}/a`)).body, 'x.test /a')
  assert.equal((await ask(`${url}/own`)).body, 'x.test /own')
  assert.equal(connections(), 1)
})

test('`rewrite.stripPrefix` changes below a prefix', async (t) => {
  const { url, change } = await forwarding(t, { prefix: '/api', host: 'x.test' })
  assert.equal((await ask(`${url}/api/a`)).body, 'x.test /api/a')
  await change({ prefix: '/api', host: 'x.test', rewrite: { stripPrefix: true } })
  assert.equal((await ask(`${url}/api/a`)).body, 'x.test /a')
})

test('with other connections, what is under way ends on the old ones, which then close', async (t) => {
  const { url, backend, held, change, connections } = await forwarding(t)
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const chunks: string[] = []
  get(`${url}/held`, { agent }, (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk))
  })
  await until('the backend has it', () => held.length === 1)
  held[0]!.write('one,')
  await until('the first part has come', () => chunks.length === 1)
  await change({ pool: { keepAliveTimeout: 60_000 } })
  assert.equal((await ask(`${url}/a`)).status, 200)
  assert.equal(connections(), 2)
  assert.equal(backend.sockets.size, 2)
  held[0]!.end('two')
  await until('the rest has come', () => chunks.join('') === 'one,two')
  await until('the old connection has closed', () => backend.sockets.size === 1)
  assert.equal((await ask(`${url}/a`)).status, 200)
  assert.equal(connections(), 2)
})

test('`pool.connections` changes without a new connection', async (t) => {
  const { app, url, held, change, connections } = await forwarding(t, { pool: { connections: 1 } })
  const first = ask(`${url}/held`)
  await until('the backend has the first', () => held.length === 1)
  const second = ask(`${url}/held`)
  await until('the second waits', () => app.balancer.queue.length === 1)
  await change({ pool: { connections: 2 } })
  await until('the backend has both', () => held.length === 2)
  for (const response of held) response.end('x')
  assert.deepEqual([(await first).body, (await second).body], ['x', 'x'])
  assert.equal(connections(), 2)
})

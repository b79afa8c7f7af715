import core, { type Balancer, type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { until } from '../../../../test/support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../../../../test/support/upgrade-backend.ts'

const none = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 }

/** A balancer of a backend that answers with the status in the path, and cuts off `/cut`, and of one that is dead. */
async function start(t: TestContext, first: 'live' | 'dead' = 'live', options: BalancerOptions = {}) {
  const { url } = await startBackend(t, (request, response) => {
    if (request.url !== '/cut') return response.writeHead(Number(request.url!.slice(1))).end()
    response.writeHead(200, { 'content-length': 2 })
    return response.write('x', () => response.socket!.destroy())
  })
  const dead = { id: 'dead', url: await unusedOrigin() }
  const live = { id: 'live', url }
  const app = Fastify()
  const policy = {
    name: 'in-order',
    over: (available: Balancer['set']['available']) => ({ pick: () => available[0], peek: () => available[0] }),
  }
  const backends = first === 'live' ? [live] : [dead, live]
  await app.register(core, { backends, policy, retry: { attempts: 1, methods: ['GET'], statuses: [503] }, ...options })
  return { ...(await listenApp(t, app)), app }
}

test('responses are counted by class, at the backend and in all, with those that failed', async (t) => {
  const { url, app } = await start(t)
  for (const path of ['200', '204', '302', '404', '404', '500', 'cut']) await ask(`${url}/${path}`)
  await until('all have ended', () => app.balancer.exchanges === 0)
  const { requests, retries, failed, responses, outcomes } = app.balancer.backend('live').toJSON()
  const expected = { '1xx': 0, '2xx': 3, '3xx': 1, '4xx': 2, '5xx': 1 }
  assert.deepEqual(
    { requests, retries, failed, responses, outcomes },
    { requests: 7, retries: 0, failed: 2, responses: expected, outcomes: { ok: 6, 'body-truncated': 1 } },
  )
  assert.deepEqual(app.balancer.totals.toJSON(), {
    requests: 7,
    failed: 2,
    retries: 0,
    responses: expected,
    outcomes: { ok: 6, 'body-truncated': 1 },
  })
})

test('a status of no class, which only a rewritten response can have, counts as none', async (t) => {
  const { url, app } = await start(t, 'live', {
    rewrite: { response: ({ out }) => void (out.status = 699) },
  })
  assert.equal((await ask(`${url}/200`)).status, 699)
  await until('it has ended', () => app.balancer.exchanges === 0)
  assert.deepEqual(app.balancer.totals.toJSON(), {
    requests: 1,
    failed: 1,
    retries: 0,
    responses: none,
    outcomes: { ok: 1 },
  })
})

test('a retry counts at the backend that it goes to; a request that was saved by it has not failed', async (t) => {
  const { url, app } = await start(t, 'dead')
  assert.equal((await ask(`${url}/200`)).status, 200)
  await until('it has ended', () => app.balancer.exchanges === 0)
  const told = app.balancer.backends.map((one) => one.toJSON())
  assert.deepEqual(
    told.map(({ id, requests, retries, failed, responses }) => [id, requests, retries, failed, responses]),
    [
      ['dead', 1, 0, 1, none],
      ['live', 1, 1, 0, { ...none, '2xx': 1 }],
    ],
  )
  const { requests, failed, retries } = app.balancer.totals
  assert.deepEqual([requests, failed, retries], [1, 0, 1])
})

test('what never got to a backend counts by its outcome and status', async (t) => {
  const { url, app } = await start(t)
  await app.balancer.setBackends([], { force: true })
  assert.equal((await ask(url)).status, 503)
  await until('it has ended', () => app.balancer.exchanges === 0)
  assert.deepEqual(app.balancer.totals.toJSON(), {
    requests: 1,
    failed: 1,
    retries: 0,
    responses: { ...none, '5xx': 1 },
    outcomes: { 'no-backend': 1 },
  })
})

test('a request for a tunnel counts once, when that is opened', async (t) => {
  const backend = await startUpgradeBackend(t, (head, { socket }) => {
    socket.on('end', () => socket.end())
    return `${switching(head)}\r\n`
  })
  const app = Fastify()
  await app.register(core, { backends: [{ id: 'a', url: backend.url }] })
  const { port } = await listenApp(t, app)
  const client = await rawClient(t, port)
  client.send(handshake())
  await client.until(/ 101 /)
  const expected = { requests: 1, failed: 0, retries: 0, responses: { ...none, '1xx': 1 }, outcomes: { ok: 1 } }
  assert.deepEqual(app.balancer.totals.toJSON(), expected)
  client.socket.destroy()
  await until('it is closed', () => app.balancer.exchanges === 0)
  assert.deepEqual(app.balancer.totals.toJSON(), expected)
  assert.deepEqual(app.balancer.backend('a').toJSON().responses, { ...none, '1xx': 1 })
})

test('a response that is refused counts by its status, too, as the attempt does when it has ended', async (t) => {
  const backend = await startUpgradeBackend(t, (head) => {
    const answer = switching(head)
    return `${answer.replace(/^sec-websocket-accept: .*$/im, 'sec-websocket-accept: x')}\r\n`
  })
  const app = Fastify()
  await app.register(core, { backends: [{ id: 'a', url: backend.url }] })
  const { port } = await listenApp(t, app)
  const client = await rawClient(t, port)
  client.send(handshake())
  await client.until(/ 502 /)
  const { responses, outcomes } = app.balancer.backend('a').toJSON()
  assert.deepEqual(
    { responses, outcomes },
    { responses: { ...none, '1xx': 1 }, outcomes: { 'upgrade-key-mismatch': 1 } },
  )
})

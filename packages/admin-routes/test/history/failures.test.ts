import balancer, { type Balancer, type BalancerOptions, type ExchangeView } from '@fastify-balancer/balancer-core'
import type { Static } from '@sinclair/typebox'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import { FailedRequests } from '../../src/history/failed-requests.ts'
import adminRoutes from '../../src/index.ts'
import { FailuresView } from '../../src/schemas/past-views.ts'
import { assertIs } from '../stage.ts'

const inOrder = {
  name: 'in-order',
  over: (available: Balancer['set']['available']) => ({ pick: () => available[0], peek: () => available[0] }),
}

async function start(t: TestContext, options: BalancerOptions) {
  const app = Fastify()
  await app.register(balancer, { policy: inOrder, ...options })
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const failures = async (query = '') => {
    await until('all have ended', () => app.balancer.exchanges === 0)
    const told: Static<typeof FailuresView> = JSON.parse(
      (await ask(`${url}/_balancer/balancers/default/failures${query}`)).body,
    )
    assertIs(FailuresView, told)
    return told.failures
  }
  return { app, url, failures }
}

test('tells each failed request with its attempts, the newest first, without query, header or body', async (t) => {
  const dead = await unusedOrigin()
  const broken = await startBackend(t, (incoming, response) => {
    incoming.resume()
    incoming.on('end', () => response.writeHead(incoming.url!.startsWith('/good') ? 200 : 503).end('secret answer'))
  })
  const { url, failures } = await start(t, {
    backends: [
      { id: 'dead', url: dead },
      { id: 'broken', url: broken.url },
    ],
    retry: { attempts: 1 },
  })
  const before = Date.now()
  const headers = { authorization: 'secret', 'content-type': 'text/plain' }
  await ask(`${url}/good?token=secret`, { headers })
  await ask(`${url}/first?token=secret`, { headers })
  await ask(`${url}/second?token=secret`, { method: 'POST', headers, body: 'secret' })
  const told = await failures()
  assert.deepEqual(
    told.map(({ method, path, status, outcome, blame, attempts }) => [
      method,
      path,
      status,
      outcome,
      blame,
      attempts.map((one) => [one.backend, one.outcome, one.status]),
    ]),
    ['POST /second', 'GET /first'].map((asked) => [
      ...asked.split(' '),
      503,
      'ok',
      'backend',
      [
        ['dead', 'connect-refused', undefined],
        ['broken', 'ok', 503],
      ],
    ]),
  )
  const [latest] = told
  assert.ok(latest!.at >= before && latest!.at <= Date.now())
  assert.ok(latest!.took >= latest!.attempts[0]!.took)
  assert.match(latest!.attempts[0]!.error!, /ECONNREFUSED/)
  assert.equal(latest!.waited, undefined)
  assert.doesNotMatch(JSON.stringify(told), /secret/)
  assert.equal((await failures('?limit=1')).length, 1)
})

test('a client that leaves, and what is its own fault, are no failures', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/404') response.writeHead(404).end()
  })
  const { app, url, failures } = await start(t, { backends: [{ id: 'a', url: backend.url }] })
  await ask(`${url}/404`)
  const leaving = request(`${url}/hang`).on('error', () => {})
  leaving.end()
  await until('the backend has it', () => app.balancer.backend('a').inFlight === 1)
  leaving.destroy()
  assert.deepEqual(await failures(), [])
})

test('tells how long a request has waited, in the time of its balancer', async (t) => {
  const clock = new ManualClock(1000)
  const backend = await startBackend(t, () => undefined)
  const { app, url, failures } = await start(t, {
    backends: [{ id: 'a', url: backend.url, maxInFlight: 1 }],
    timeouts: { queue: 2000, headers: 5000 },
    retry: { attempts: 0 },
    clock,
  })
  const first = ask(`${url}/first`)
  await until('it is full', () => app.balancer.backend('a').inFlight === 1)
  const second = ask(`${url}/second`)
  await until('one waits', () => app.balancer.queue.length === 1)
  clock.advance(2000)
  assert.equal((await second).status, 503)
  clock.advance(10_000)
  assert.equal((await first).status, 504)
  const told = await failures()
  assert.deepEqual(
    told.map(({ path, outcome, blame, status, waited }) => [path, outcome, blame, status, waited]),
    [
      ['/first', 'headers-timeout', 'backend', 504, undefined],
      ['/second', 'queue-timeout', 'proxy', 503, 2000],
    ],
  )
  assert.deepEqual([told[1]!.took, told[1]!.attempts], [2000, []])
})

test('the message of an error may be anything', () => {
  const requests = new FailedRequests(() => 0)
  const error = Object.assign(new Error(), { message: 42 })
  const attempts = [{ backend: { id: 'a' }, outcome: 'dns-failed', status: 0, startedAt: 0, endedAt: 1, error }]
  const exchange = { method: 'GET', path: '/', status: 502, outcome: 'dns-failed', blame: 'backend', attempts }
  requests.add({ ...exchange, startedAt: 0, waitingSince: 0 } as unknown as ExchangeView, 1)
  assert.equal(requests.latest(1)[0]!.attempts[0]!.error, '42')
})

test('keeps the last 100, and of a long path 200 characters', async (t) => {
  const { url, failures } = await start(t, { backends: [] })
  for (let count = 0; count < 103; count++) await ask(`${url}/${count}`)
  const paths = (await failures('?limit=100')).map(({ path }) => path)
  assert.deepEqual(
    paths,
    Array.from({ length: 100 }, (_, index) => `/${102 - index}`),
  )
  assert.equal((await failures()).length, 20)
  await ask(`${url}/${'x'.repeat(500)}`)
  const { path } = (await failures('?limit=1'))[0]!
  assert.deepEqual([path.length, path.slice(-2)], [200, 'x…'])
})

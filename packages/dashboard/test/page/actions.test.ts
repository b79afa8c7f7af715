import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBackend } from '../../../../test/support/backend.ts'
import { actions, actionsFor, probeText, type ActionKind } from '../../page/actions/actions.ts'
import { ApiError } from '../../page/api/api-error.ts'
import { Api } from '../../page/api/api.ts'

/** A backend as many are named: by its origin. Real admin routes, asked as the page asks them. */
async function stage(t: TestContext, { whole = true } = {}) {
  const { url } = await startBackend(t)
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { name: 'a/b c', backends: [url] })
  if (whole) {
    await app.register(healthCheck, { balancer: 'a/b c', interval: 60_000 })
    await app.register(circuitBreaker, { balancer: 'a/b c' })
  }
  await app.register(adminRoutes, { insecure: true })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const api = new Api(new URL('/_balancer/', origin))
  const view = () => api.balancer('a/b c')
  const run = async (kind: ActionKind, value?: number, revision?: number) => {
    const now = await view()
    const { name, drainDeadline, backends } = now
    const order = {
      balancer: name,
      drainDeadline,
      backend: backends[0]!,
      revision: revision ?? now.revision,
      value,
    }
    return actions[kind].run(api, order)
  }
  return { app, api, view, run, url }
}

test('each action does what it says, and says what has come of it', async (t) => {
  const { view, run, app } = await stage(t)
  const backend = async () => (await view()).backends[0]!
  assert.equal(await run('drain', 2.5), 'is draining')
  assert.equal((await backend()).state, 'drain')
  assert.equal(await run('maintenance'), 'is in maintenance')
  assert.equal((await backend()).state, 'maintenance')
  assert.equal(await run('ready'), 'is ready')
  assert.equal((await backend()).state, 'ready')
  assert.equal(await run('weight', 7), 'now has weight 7')
  assert.equal(app.balancers.get('a/b c')!.backends[0]!.weight, 7)
  assert.equal(await run('open', 60), 'now has an open circuit')
  assert.equal((await backend()).available, false)
  assert.equal(await run('close', undefined), 'now has a closed circuit')
  assert.equal(await run('auto'), 'now has a closed circuit')
  assert.match(await run('probe'), /^was probed: good \(HEAD http:\/\/127\.0\.0\.1:\d+\/ → .*200.*, [\d.]+ ms\)$/)
})

test('a probe that does not count is shown as inconclusive', () => {
  const received = 'connect EMFILE: this process is out of sockets'
  const probe = { good: false, at: 0, sent: 'HEAD http://a/', received, timings: { took: 1 } } as const
  assert.equal(
    probeText({ ...probe, inconclusive: 'out-of-sockets' }),
    `inconclusive, does not count (HEAD http://a/ → ${received}, 1.0 ms)`,
  )
  assert.match(probeText(probe), /^bad \(/)
})

test('a weight is set only while the list is as the operator has seen it', async (t) => {
  const { view, run } = await stage(t)
  const { revision } = await view()
  await run('weight', 2)
  await assert.rejects(run('weight', 3, revision), (error: ApiError) => {
    assert.equal(error.status, 412)
    assert.match(error.message, /revision/)
    return true
  })
  assert.equal((await view()).backends[0]!.weight, 2)
})

test('what is refused says why, and names every fault', async (t) => {
  const { api, run } = await stage(t)
  await assert.rejects(run('weight', 0), (error: ApiError) => {
    assert.equal(error.status, 400)
    assert.equal(error.faults.length, 1)
    assert.match(error.faults[0]!, /weight/)
    return true
  })
  await assert.rejects(api.balancer('none'), { status: 404, message: "There is no balancer 'none'" })
})

test('a server that is away is told from one that refuses', async () => {
  const api = new Api(new URL('http://127.0.0.1:1/'))
  await assert.rejects(api.balancers(), (error: ApiError) => error instanceof ApiError && error.status === 0)
})

test('circuits and probes are offered only where there are any', async (t) => {
  const labels = async (whole: boolean) => {
    const { view } = await stage(t, { whole })
    return actionsFor((await view()).backends[0]!).map(([, { label }]) => label)
  }
  const always = ['Make ready', 'Drain', 'Put in maintenance', 'Set weight']
  assert.deepEqual(await labels(false), always)
  assert.deepEqual(await labels(true), [...always, 'Open circuit', 'Close circuit', 'Release circuit', 'Probe'])
})

test('a request is explained as it was described', async (t) => {
  const { api, url } = await stage(t)
  const answer = await api.explain('a/b c', { method: 'GET', url: '/x', headers: { cookie: ['a', 'b'] } })
  assert.equal(answer.picked, url)
  assert.deepEqual(
    answer.backends.map(({ id }) => id),
    [url],
  )
})

test('an answer that leads to another page, to sign in there, is as good as a refusal', async (t) => {
  const { url } = await startBackend(t, (_request, response) => {
    response.writeHead(302, { location: '/login' })
    response.end()
  })
  await assert.rejects(new Api(new URL('/_balancer/', url)).balancers(), { status: 401 })
})

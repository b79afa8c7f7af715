import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { until } from '../../../../test/support/until.ts'
import adminRoutes from '../../src/index.ts'

const writers = Array.from({ length: 50 }, (_, index) => index + 1)

async function start(t: TestContext) {
  const app = Fastify()
  await app.register(balancer, { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] })
  // No change is made before all have asked, so that all are under way at once.
  let asked = 0
  let go: (() => void) | undefined
  app.addHook('preHandler', async ({ method }) => {
    if (method === 'PUT' && ++asked % writers.length === 0) go?.()
  })
  app.balancer.addHook('onBackendsPropose', async () => {
    if (asked % writers.length > 0) await new Promise<void>((resolve) => (go = resolve))
    return []
  })
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const put = async (weight: number, headers: Record<string, string>) => {
    const newcomer = { id: `n${weight}`, url: `http://127.0.0.1:${1000 + weight}`, weight }
    const { status, headers: received } = await ask(`${url}/_balancer/balancers/default/backends`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ backends: [newcomer] }),
    })
    return { status, weight, etag: received.etag }
  }
  return { app, url, put }
}

test('of 50 writers at once with If-Match, exactly one wins', async (t) => {
  const { app, put } = await start(t)
  for (let revision = 1; revision <= 5; revision++) {
    const answers = await Promise.all(writers.map((weight) => put(weight, { 'if-match': `"${revision}"` })))
    const winners = answers.filter(({ status }) => status === 200)
    assert.equal(winners.length, 1)
    assert.equal(answers.filter(({ status }) => status === 412).length, 49)
    assert.deepEqual(
      [app.balancer.set.revision, app.balancer.backends.map(({ id }) => id), winners[0]!.etag],
      [revision + 1, [`n${winners[0]!.weight}`], `"${revision + 1}"`],
    )
  }
})

test('of 50 who add one of the same name at once, one does, and the others are told what is wrong', async (t) => {
  const app = Fastify()
  await app.register(balancer, { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] })
  let proposed = 0
  let go: (() => void) | undefined
  app.balancer.addHook('onBackendsPropose', async () => {
    proposed++
    await new Promise<void>((resolve) => (go = resolve))
    return []
  })
  let asked = 0
  app.addHook('preHandler', async ({ method }) => void (method === 'POST' && asked++))
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const answers = writers.map(async () => {
    const { status, body } = await ask(`${url}/_balancer/balancers/default/backends`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'n', url: 'http://127.0.0.1:2' }),
    })
    return { status, body: JSON.parse(body) as Record<string, unknown> }
  })
  await until('all have asked', () => asked === writers.length && go !== undefined)
  go!()
  const refused = (await Promise.all(answers)).filter(({ status }) => status !== 201)
  assert.deepEqual([refused.length, proposed], [49, 1])
  for (const { status, body } of refused)
    assert.deepEqual(
      [status, body.code, body.faults],
      [400, 'FST_BALANCER_ADMIN_BAD_REQUEST', ["id: 'n' is already used by backends.1"]],
    )
  assert.equal(app.balancer.set.revision, 2)
})

test('of 50 writers without it, each gets a revision of its own, and readers see whole lists', async (t) => {
  const { app, url, put } = await start(t)
  const [answers, seen] = await Promise.all([
    Promise.all(writers.map((weight) => put(weight, {}))),
    Promise.all(writers.map(() => ask(`${url}/_balancer/balancers/default/backends`))),
  ])
  assert.deepEqual(
    answers.map(({ etag }) => Number(String(etag).slice(1, -1))).toSorted((left, right) => left - right),
    writers.map((index) => index + 1),
  )
  const byRevision = new Map(answers.map(({ etag, weight }) => [etag, weight]))
  for (const { body, headers } of seen) {
    const { revision, backends } = JSON.parse(body) as { revision: number; backends: { weight: number }[] }
    assert.equal(headers.etag, `"${revision}"`)
    assert.deepEqual(
      backends.map(({ weight }) => weight),
      [byRevision.get(`"${revision}"`) ?? 1],
    )
  }
  assert.equal(app.balancer.set.revision, 51)
})

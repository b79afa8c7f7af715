import type { MaglevSettings } from '@fastify-balancer/policies'
import Fastify from 'fastify'
import balancer, { type BalancerOptions } from 'fastify-balancer'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:http2'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask, type Question } from '../support/ask.ts'
import { readAll, startBackend, startBackends, type TestBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'
import { openWebSocket, say, startEchoBackend } from '../support/websockets.ts'

type PolicySetting = NonNullable<BalancerOptions['policy']>
type KeyOption = NonNullable<MaglevSettings['key']>

/** An app over backends, whose clients are known by `x-forwarded-for`. */
async function start(t: TestContext, backends: readonly TestBackend[], policy: PolicySetting, http2 = false) {
  const app = Fastify({ trustProxy: '127.0.0.1', ...(http2 && { http2: true }) } as object)
  const urls = backends.map(({ url }) => url)
  await app.register(balancer, { backends: urls, policy, healthCheck: false, circuitBreaker: false })
  return listenApp(t, app)
}

const users = Array.from({ length: 10 }, (_, index) => `user-${index}`)

/** Every user asks twice, and is answered by the same backend; together they reach more than one. Answers who it was. */
async function boundTo(url: string, questionOf: (user: string) => Question & { readonly path?: string }) {
  const askOne = async (user: string) => {
    const { path = '/', ...question } = questionOf(user)
    const { status, body } = await ask(url + path, question)
    assert.equal(status, 200)
    return body
  }
  const first = await Promise.all(users.map(askOne))
  assert.deepEqual(await Promise.all(users.toReversed().map(askOne)), first.toReversed())
  assert.ok(new Set(first).size > 1)
  return first
}

/** Over the same three backends, with a key of its own. Bounds are off: these requests come all at once. */
async function originOf(
  t: TestContext,
  backends: readonly TestBackend[],
  name: 'maglev' | 'ring' | 'rendezvous',
  key: KeyOption,
) {
  return (await start(t, backends, { name, key, balance: false } as PolicySetting)).url
}

test('the same key, the same backend, for each kind of key', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const over = (key: KeyOption) => originOf(t, backends, 'maglev', key)
  const withHeader = (user: string) => ({ headers: { 'x-user': user } })
  const byHeader = await boundTo(await over({ header: 'x-user' }), withHeader)
  const answers = [
    await boundTo(await over({ cookie: 'sid' }), (user) => ({ headers: { cookie: `x=1; sid=${user}` } })),
    await boundTo(await over({ query: 'user' }), (user) => ({ path: `/${user}?x=1&user=${user}` })),
    await boundTo(await over(({ headers }) => String(headers['x-user'])), withHeader),
    await boundTo(await over([{ cookie: 'sid' }, { body: 6 }]), (user) => ({ method: 'POST', body: user })),
  ]
  // What part of the request it comes from makes no difference.
  assert.deepEqual(answers, [byHeader, byHeader, byHeader, byHeader])
  await boundTo(await over({ path: 1 }), (user) => ({ path: `/${user}/x?y` }))
})

for (const name of ['ring', 'rendezvous'] as const)
  test(`${name}: the same key, the same backend`, async (t) => {
    const backends = await startBackends(t, 'a', 'b', 'c')
    await boundTo(await originOf(t, backends, name, { header: 'x-user' }), (user) => ({ headers: { 'x-user': user } }))
  })

test('the client is who it is behind a trusted proxy, and by default the key', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const { url } = await start(t, backends, { name: 'maglev', balance: false })
  const answers = await boundTo(url, (user) => ({ headers: { 'x-forwarded-for': `192.0.2.${user.slice(5)}` } }))
  const prefixed = await start(t, backends, { name: 'maglev', key: { address: { v4: 24 } }, balance: false })
  const inNet = (host: string) => ask(prefixed.url, { headers: { 'x-forwarded-for': `192.0.2.${host}` } })
  const bodies = await Promise.all(users.map(async (user) => (await inNet(user.slice(5))).body))
  assert.equal(new Set(bodies).size, 1)
  assert.notDeepEqual(answers, bodies)
})

test('prompts that begin alike go to one backend; a GET and a body that is too long are for the inner policy', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const policy = { name: 'maglev', key: { body: 20 }, balance: false, policy: 'round-robin' } as const
  const { url } = await start(t, backends, policy)
  const prompt = (text: string) => ask(url, { method: 'POST', body: text })
  const started = await Promise.all(users.map((user) => prompt(`You are a helper.   ${user}`)))
  assert.equal(new Set(started.map(({ body }) => body)).size, 1)
  const others = await Promise.all(users.map((user) => prompt(`${user} is a helper.       `)))
  assert.ok(new Set(others.map(({ body }) => body)).size > 1)
  for (const question of [{}, { method: 'POST', body: 'x'.repeat(70_000) }]) {
    const three = [await ask(url, question), await ask(url, question), await ask(url, question)]
    assert.deepEqual(three.map(({ body }) => body).toSorted(), ['a', 'b', 'c'])
  }
})

test('a WebSocket goes where the requests of its user go', async (t) => {
  const names = ['a', 'b', 'c']
  const backends = await Promise.all(names.map((name) => startEchoBackend(t, { name })))
  const app = Fastify()
  await app.register(balancer, {
    backends: backends.map(({ url }, index) => ({ url, id: names[index]! })),
    policy: { name: 'ring', key: { query: 'user' } },
    healthCheck: false,
  })
  const { url } = await listenApp(t, app)
  const reached = new Set<string>()
  for (const user of users.slice(0, 8)) {
    const target = `/chat?user=${user}`
    // oxlint-disable-next-line no-await-in-loop -- explained before it is opened
    const socket = await openWebSocket(t, url + target)
    // oxlint-disable-next-line no-await-in-loop -- one user after the other
    const answer = await say(socket, 'hi')
    const { picked } = app.balancer.explain({ method: 'GET', url: target, headers: {} })
    assert.equal(answer, `${picked}:hi`)
    reached.add(answer)
  }
  assert.ok(reached.size > 1)
})

test('clients of HTTP/2 have the same backends', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const policy = { name: 'maglev', key: { header: 'x-user' } } as const
  const plain = await start(t, backends, policy)
  const { url } = await start(t, backends, policy, true)
  const session = connect(url)
  t.after(() => session.destroy())
  for (const user of users.slice(0, 8)) {
    const stream = session.request({ ':path': '/', 'x-user': user })
    // oxlint-disable-next-line no-await-in-loop -- one user after the other
    const body = await readAll(stream)
    // oxlint-disable-next-line no-await-in-loop -- one user after the other
    assert.equal(body, (await ask(plain.url, { headers: { 'x-user': user } })).body)
  }
})

test('a retry goes to the next of the key, each time the same', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c', 'd')
  const { app, url } = await start(t, backends, { name: 'rendezvous', key: { header: 'x-user' } })
  const question = { headers: { 'x-user': 'anna' } }
  const { order } = app.balancer.explain({ method: 'GET', url: '/', headers: question.headers }).policy
  const byOrder = String(order)
    .split(', ')
    .map((id) => backends.find((backend) => backend.url === id)!)
  const names = new Map(backends.map((backend, index) => [backend, 'abcd'[index]]))
  await byOrder[0]!.stop()
  for (let time = 0; time < 3; time++)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal((await ask(url, question)).body, names.get(byOrder[1]!))
})

test('a drained backend gives its keys away, and gets them back', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const { app, url } = await start(t, backends, { name: 'ring', key: { header: 'x-user' }, balance: false })
  const bodies = () => Promise.all(users.map(async (user) => (await ask(url, { headers: { 'x-user': user } })).body))
  const before = await bodies()
  const veto = app.balancer.veto(app.balancer.backends[1]!, { by: 'drain', reason: 'a test', hard: true })
  const during = await bodies()
  for (const [user, body] of before.entries()) assert.equal(during[user] === body, body !== 'b')
  assert.ok(!during.includes('b'))
  veto.lift()
  assert.deepEqual(await bodies(), before)
})

test('of a hot key, each backend has its slots at most, counted over changes of the set', async (t) => {
  const held: ServerResponse[] = []
  const listener = (_request: unknown, response: ServerResponse) => void held.push(response)
  const backends = await Promise.all(['a', 'b', 'c', 'd'].map((name) => startBackend(t, listener, name)))
  const { app, url } = await start(t, backends, { name: 'maglev', key: { header: 'x-user' } })
  const question = { headers: { 'x-user': 'hot' } }
  const inFlight = () => app.balancer.backends.map((backend) => backend.inFlight)
  const details = () =>
    app.balancer.explain({ method: 'GET', url: '/', ...question }).backends.map((backend) => backend.details?.['bound'])
  const answers = []
  for (let count = 1; count <= 12; count++) {
    answers.push(ask(url, question))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await until(`request ${count} has arrived`, () => held.length === count)
    // floor((count × 125 + 99) ÷ 100) slots, a quarter of them for each.
    const slots = Math.ceil(Math.floor((count * 125 + 99) / 100) / 4)
    assert.ok(Math.max(...inFlight()) <= slots, `${inFlight().join()} of ${slots}`)
  }
  // (12 + 1) × 1.25 = 17 slots.
  assert.deepEqual(details(), [5, 5, 5, 5])
  const busiest = app.balancer.backends.toSorted((one, other) => other.inFlight - one.inFlight)[0]!
  const veto = app.balancer.veto(busiest, { by: 'test', reason: 'a test' })
  const others = 12 - busiest.inFlight
  const bound = Math.ceil(Math.floor(((others + 1) * 125 + 99) / 100) / 3)
  assert.deepEqual(
    details().filter((one) => one !== undefined),
    [bound, bound, bound],
  )
  veto.lift()
  for (const response of held) response.end()
  await Promise.all(answers)
  await until('all have ended', () => inFlight().every((count) => count === 0))
  assert.deepEqual(details(), [1, 1, 1, 1])
})

import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { request, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend, unusedOrigin } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'

/** A backend that answers nobody until it is told to. */
async function startHolding(t: TestContext) {
  const held: ServerResponse[] = []
  let most = 0
  let now = 0
  const backend = await startBackend(t, (_incoming, response) => {
    held.push(response)
    most = Math.max(most, ++now)
    response.on('close', () => now--)
  })
  return {
    backend,
    held,
    /** The most requests that it has ever had at once. */
    get most() {
      return most
    },
    /** The paths that it has been asked for, in order of arrival. */
    get order() {
      return backend.received.map(({ url }) => url)
    },
    /** Answers the one that it has had longest. */
    release() {
      held.shift()!.end('released')
    },
  }
}

async function start(t: TestContext, urls: readonly string[], maxInFlight: number, options: BalancerOptions = {}) {
  const { app, url } = await startApp(t, {
    backends: urls.map((backend, index) => ({ url: backend, id: `backend-${index}`, maxInFlight })),
    failureHeader: true,
    timeouts: { queue: 0 },
    ...options,
  })
  const { balancer } = app
  return {
    app,
    url,
    balancer,
    /** Asks, and waits until the request stands in the queue. */
    async line(path: string) {
      const goal = balancer.queue.length + 1
      const answer = ask(url + path)
      await until(`${path} waits`, () => balancer.queue.length === goal)
      return { answer }
    },
  }
}

test('a backend never has more in flight than it may', async (t) => {
  const holding = await Promise.all([startHolding(t), startHolding(t)])
  const { url, balancer } = await start(
    t,
    holding.map(({ backend }) => backend.url),
    3,
  )
  const seen: number[] = []
  balancer.addHook('onAttemptStart', ({ backend }) => void seen.push(backend.inFlight))
  const total = 40
  const answers = Array.from({ length: total }, (_, index) => ask(`${url}/${index}`))
  let answered = 0
  for (const answer of answers) void answer.then(() => answered++)
  while (answered < total) {
    await until('every place is taken, or every request', () => {
      const held = holding.reduce((sum, one) => sum + one.held.length, 0)
      return held === Math.min(6, total - answered) && balancer.queue.length === Math.max(0, total - answered - 6)
    })
    const before = answered
    holding.find(({ held }) => held.length > 0)!.release()
    await until('one more is answered', () => answered === before + 1)
  }
  assert.deepEqual(
    holding.map(({ most }) => most),
    [3, 3],
  )
  assert.deepEqual([Math.max(...seen), seen.length], [3, total])
  for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
})

test('who came first is served first', async (t) => {
  const holding = await startHolding(t)
  const { url, line } = await start(t, [holding.backend.url], 1)
  const first = ask(`${url}/0`)
  await until('the backend is occupied', () => holding.held.length === 1)
  const answers = []
  for (let index = 1; index <= 12; index++) answers.push(await line(`/${index}`))
  for (let index = 0; index <= 12; index++) {
    await until('the next has arrived', () => holding.held.length === 1)
    holding.release()
  }
  assert.deepEqual(
    holding.order,
    Array.from({ length: 13 }, (_, index) => `/${index}`),
  )
  assert.equal((await first).status, 200)
  for (const { answer } of answers) assert.equal((await answer).status, 200)
})

test('who comes when a place has just become free does not overtake those who wait', async (t) => {
  const holding = await startHolding(t)
  const { app, url, balancer, line } = await start(t, [holding.backend.url], 1)
  const first = ask(`${url}/first`)
  await until('the backend is occupied', () => holding.held.length === 1)
  const { answer } = await line('/waiting')
  let late: Promise<unknown> | undefined
  balancer.addHook('onAttemptEnd', () => {
    // The place is free now, and nobody has taken it yet.
    late ??= app.inject('/late')
  })
  holding.release()
  await until('the next has arrived', () => holding.held.length === 1)
  assert.equal(holding.order[1], '/waiting')
  holding.release()
  await until('the last has arrived', () => holding.held.length === 1)
  holding.release()
  await Promise.all([first, answer, late])
  assert.deepEqual(holding.order, ['/first', '/waiting', '/late'])
})

test('no more may wait than the queue holds', async (t) => {
  const holding = await startHolding(t)
  const { url, balancer, line } = await start(t, [holding.backend.url], 1, {
    queue: { max: 2 },
    timeouts: { queue: 0 },
  })
  const answers = [ask(url)]
  await until('the backend is occupied', () => holding.held.length === 1)
  for (const path of ['/second', '/third']) answers.push((await line(path)).answer)
  const turnedAway = await ask(url)
  assert.equal(turnedAway.status, 503)
  assert.equal(turnedAway.headers['x-balancer-failure'], 'queue-full')
  assert.equal(turnedAway.headers['retry-after'], '1')
  assert.equal(balancer.queue.length, 2)
  for (let served = 0; served < 3; served++) {
    await until('the next has arrived', () => holding.held.length === 1)
    holding.release()
  }
  for (const answer of answers) assert.equal((await answer).status, 200)
  assert.equal(holding.backend.received.length, 3)
})

test('each may wait so long, from when it came', async (t) => {
  const clock = new ManualClock()
  const holding = await startHolding(t)
  const { url, balancer, line } = await start(t, [holding.backend.url], 1, { clock, timeouts: { queue: 1000 } })
  const first = ask(url)
  await until('the backend is occupied', () => holding.held.length === 1)
  const second = await line('/second')
  clock.advance(400)
  const third = await line('/third')
  clock.advance(599)
  assert.equal(balancer.queue.length, 2)
  clock.advance(1)
  const timedOut = await second.answer
  assert.deepEqual([timedOut.status, timedOut.headers['x-balancer-failure']], [503, 'queue-timeout'])
  clock.advance(399)
  assert.equal(balancer.queue.length, 1)
  clock.advance(1)
  assert.equal((await third.answer).status, 503)
  assert.equal(balancer.queue.length, 0)
  holding.release()
  assert.equal((await first).status, 200)
  assert.equal(holding.backend.received.length, 1)
})

test('who has been served has no time limit of the queue left', async (t) => {
  const clock = new ManualClock()
  const holding = await startHolding(t)
  const { url, line } = await start(t, [holding.backend.url], 1, { clock, timeouts: { queue: 1000 } })
  void ask(url)
  await until('the backend is occupied', () => holding.held.length === 1)
  const second = await line('/second')
  holding.release()
  await until('the second has arrived', () => holding.order.length === 2)
  clock.advance(20_000)
  holding.release()
  assert.equal((await second.answer).status, 200)
})

test('a client that leaves gives up its place, and nothing of it reaches a backend', async (t) => {
  const holding = await startHolding(t)
  const { url, balancer, line } = await start(t, [holding.backend.url], 1)
  const first = ask(`${url}/first`)
  await until('the backend is occupied', () => holding.held.length === 1)
  const leaving = request(`${url}/leaving`, { agent: false })
    .on('error', () => {})
    .end()
  await until('it waits', () => balancer.queue.length === 1)
  const { answer } = await line('/staying')
  leaving.destroy()
  await until('its place is given up', () => balancer.queue.length === 1)
  assert.equal(balancer.exchanges, 2)
  holding.release()
  await until('the next has arrived', () => holding.held.length === 1)
  holding.release()
  assert.deepEqual([(await first).status, (await answer).status], [200, 200])
  assert.deepEqual(holding.order, ['/first', '/staying'])
})

test('a place that is freed by a failure is handed on as well', async (t) => {
  let requests = 0
  const origin = await startRawBackend(t, (socket) => {
    socket.once('data', () => {
      requests++
      socket.destroy()
    })
  })
  const { url, balancer } = await start(t, [origin], 2, { retry: { attempts: 0 } })
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url)))
  for (const answer of answers) assert.equal(answer.status, 502)
  assert.equal(requests, 20)
  assert.deepEqual([balancer.queue.length, balancer.exchanges, balancer.backends[0]!.inFlight], [0, 0, 0])
})

test('those who wait go on when there is more room: more in flight, another backend, a veto lifted', async (t) => {
  const [one, two, three] = [await startHolding(t), await startHolding(t), await startHolding(t)]
  const { url, balancer, line } = await start(t, [one.backend.url, three.backend.url], 1)
  const veto = balancer.veto(balancer.backend('backend-1'), { by: 'test', reason: 'not yet', hard: true })
  const answers = [ask(url)]
  await until('the backend is occupied', () => one.held.length === 1)
  for (const path of ['/1', '/2', '/3', '/4']) answers.push((await line(path)).answer)

  await balancer.update('backend-0', { maxInFlight: 2 })
  await until('the first of them goes on', () => one.order.length === 2)
  assert.equal(balancer.queue.length, 3)

  await balancer.add({ url: two.backend.url, maxInFlight: 1 })
  await until('the second of them goes on', () => two.order.length === 1)
  assert.equal(balancer.queue.length, 2)

  veto.lift()
  await until('the third of them goes on', () => three.order.length === 1)
  assert.equal(balancer.queue.length, 1)
  assert.deepEqual([one.order[1], two.order[0], three.order[0]], ['/1', '/2', '/3'])

  for (const holding of [one, one, two, three]) holding.release()
  await until('the last of them goes on', () => [one, two, three].some(({ held }) => held.length === 1))
  for (const holding of [one, two, three]) if (holding.held.length === 1) holding.release()
  for (const answer of answers) assert.equal((await answer).status, 200)
})

test('nobody who waits is handed to a backend that is no longer to be used', async (t) => {
  const [closing, open] = [await startHolding(t), await startHolding(t)]
  const { url, balancer, line } = await start(t, [closing.backend.url, open.backend.url], 1)
  const answers = [ask(url), ask(url)]
  await until('both backends are occupied', () => closing.held.length === 1 && open.held.length === 1)
  answers.push((await line('/waiting')).answer)
  balancer.veto(balancer.backend('backend-0'), { by: 'test', reason: 'closed' })
  closing.release()
  await until('it is free', () => balancer.backend('backend-0').inFlight === 0)
  assert.equal(balancer.queue.length, 1)
  open.release()
  await until('the next has arrived', () => open.order.length === 2)
  open.release()
  for (const answer of answers) assert.equal((await answer).status, 200)
  assert.equal(closing.order.length, 1)
})

test('what could not be sent waits for a place elsewhere, with its body', async (t) => {
  const holding = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/held') return
    incoming.pipe(response)
  })
  const { url, balancer } = await start(t, [await unusedOrigin(), holding.url], 1)
  const [dead] = balancer.backends
  const veto = balancer.veto(dead!, { by: 'test', reason: 'so that the other one is asked', hard: true })
  const held = request(`${url}/held`, { agent: false })
    .on('error', () => {})
    .end()
  await until('the living backend is occupied', () => holding.received.length === 1)
  veto.lift()
  const answer = ask(url, { method: 'POST', body: 'small' })
  await until('the dead backend has been tried', () => dead!.outcomes['connect-refused'] === 1)
  held.destroy()
  assert.deepEqual([(await answer).status, (await answer).body], [200, 'small'])
})

test('nobody waits in the queue of undici, which has no bounds', async (t) => {
  const holding = await startHolding(t)
  const { url, balancer } = await start(t, [holding.backend.url], 2, { pool: { connections: 2 } })
  const [backend] = balancer.backends
  const total = 12
  const answers = Array.from({ length: total }, () => ask(url))
  for (let served = 0; served < total; served++) {
    await until('every place is taken', () => holding.held.length === Math.min(2, total - served))
    await until('the others wait', () => balancer.queue.length === Math.max(0, total - served - 2))
    const { queued, pending, running } = backend!.pool.stats
    assert.deepEqual({ queued, pending, running }, { queued: 0, pending: 0, running: holding.held.length })
    holding.release()
    await until('the place is free', () => backend!.outcomes.ok === served + 1)
  }
  for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
  assert.equal(holding.backend.sockets.size, 2)
})

test('a retry that waits for one full backend holds up nobody who can be served by another', async (t) => {
  const b = await startHolding(t)
  let resets = 1
  const a = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/retried' && resets-- > 0) incoming.socket.resetAndDestroy()
    // No connection is kept: one that had been used could be taken for stale.
    else response.setHeader('connection', 'close').end('a')
  })
  const { url, balancer, line } = await start(t, [a.url, b.backend.url], 2)
  const streams = []
  // Until b has two that do not end; a answers its own at once.
  while (b.held.length < 2) {
    const before = a.received.length + b.backend.received.length
    streams.push(ask(`${url}/stream`))
    await until('it is answered or held', () => a.received.length + b.backend.received.length > before)
  }
  const { answer } = await line('/retried')
  assert.deepEqual([balancer.backend('backend-0').inFlight, balancer.backend('backend-1').inFlight], [0, 2])
  for (let index = 0; index < 200; index++) {
    const { status, body } = await ask(`${url}/${index}`)
    assert.deepEqual([status, body], [200, 'a'])
  }
  assert.equal(balancer.queue.length, 1)
  b.release()
  await until('it has gone on to b', () => b.order.includes('/retried'))
  while (b.held.length > 0) b.release()
  assert.equal((await answer).status, 200)
  for (const stream of streams) assert.equal((await stream).status, 200)
})

test('a place that becomes free goes past a retry that has been there, to the first who may go', async (t) => {
  const [a, b] = [await startHolding(t), await startHolding(t)]
  const { url, balancer, line } = await start(t, [a.backend.url, b.backend.url], 1)
  const first = ask(`${url}/first`)
  await until('it is at a', () => a.held.length === 1)
  const second = ask(`${url}/second`)
  await until('it is at b', () => b.held.length === 1)
  a.held.shift()!.socket!.resetAndDestroy()
  await until('it waits for b', () => balancer.queue.length === 1)
  const third = ask(`${url}/third`)
  await until('a has the next at once', () => a.held.length === 1)
  const { answer: fourth } = await line('/fourth')
  a.release()
  await until('a has the one after', () => a.held.length === 1)
  assert.deepEqual(a.order, ['/first', '/third', '/fourth'])
  assert.equal(balancer.queue.length, 1)
  b.release()
  await until('b has the first', () => b.held.length === 1)
  assert.deepEqual(b.order, ['/second', '/first'])
  a.release()
  b.release()
  for (const answer of [first, second, third, fourth]) assert.equal((await answer).status, 200)
})

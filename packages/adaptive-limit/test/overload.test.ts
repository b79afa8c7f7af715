import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import adaptiveLimit from '../src/index.ts'

const slots = 8
const service = 40

/** A backend that works at so many requests at once, and lets the others wait. */
async function startSlow(t: TestContext) {
  const waiting: (() => void)[] = []
  const took: number[] = []
  let busy = 0
  const backend = await startBackend(t, async (_incoming, response) => {
    if (busy === slots) await new Promise<void>((resolve) => void waiting.push(resolve))
    else busy++
    const since = performance.now()
    await wait(service)
    took.push(performance.now() - since)
    response.end('done')
    const next = waiting.shift()
    if (next === undefined) busy--
    else next()
  })
  return { url: backend.url, took }
}

/** Twice as much as the backend can do, at a constant rate. */
async function overload(url: string, count: number) {
  const period = (service / slots) * 1000
  const begun = performance.now()
  const answers: Promise<{ status: number; retryAfter: unknown; time: number }>[] = []
  while (answers.length < count) {
    const due = ((performance.now() - begun) * 2000) / period
    // After a pause of this process, those that were due do not come all at once.
    const most = Math.min(due, count, answers.length + 2)
    while (answers.length < most) {
      const since = performance.now()
      answers.push(
        ask(url).then(({ status, headers }) => {
          return { status, retryAfter: headers['retry-after'], time: performance.now() - since }
        }),
      )
    }
    // oxlint-disable-next-line no-await-in-loop -- a constant rate
    await wait(2)
  }
  return Promise.all(answers)
}

test('under twice its load, a backend keeps as many in flight as it can do, and the rest gets 503 at once', async (t) => {
  const slow = await startSlow(t)
  const app = Fastify()
  await app.register(balancer, {
    backends: [slow.url],
    queue: { max: slots },
    timeouts: { queue: 250 },
    retry: false,
  })
  await app.register(adaptiveLimit, { initial: slots, window: 50 })
  const { url } = await listenApp(t, app)
  const [backend] = app.balancer.backends
  await overload(url, 400)
  let most = 0
  app.balancer.addHook('onAttemptStart', ({ backend: { inFlight } }) => void (most = Math.max(most, inFlight)))
  const answers = await overload(url, 400)

  // At rest it is 1.5 × 8 + 4 = 16; twice that leaves room for a machine whose own time is part of each response.
  const bound = 32
  assert.ok(backend!.limit >= slots && backend!.limit <= bound, `limit ${backend!.limit}`)
  assert.ok(most >= slots && most <= bound, `${most} in flight`)
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 503]))
  const [served, refused] = [200, 503].map((wanted) => answers.filter(({ status }) => status === wanted))
  for (const { retryAfter } of refused!) assert.equal(retryAfter, '1')
  // What can be served is: 400 requests came in the time of 200. A slow machine serves fewer, and nobody more.
  assert.ok(served!.length > 100, `${served!.length} served`)
  const p99 = served!.map(({ time }) => time).toSorted((one, other) => one - other)[Math.floor(served!.length * 0.99)]!
  // It waits for at most so long in the queue, and then for its turn at the backend.
  assert.ok(p99 < 250 + (bound / slots + 1) * Math.max(...slow.took), `p99 ${p99} ms`)
})

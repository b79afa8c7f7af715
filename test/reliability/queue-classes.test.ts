import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'

const priority = { classes: ['high', 'normal', 'low'], default: 'normal', header: 'x-priority', share: 0 }

/** A proxy before one backend of one place, which is taken, and answers when it is told to. */
async function start(t: TestContext, options: BalancerOptions) {
  const held: ServerResponse[] = []
  const backend = await startBackend(t, (_incoming, response) => void held.push(response))
  const { app, url } = await startApp(
    t,
    { backends: [{ url: backend.url, maxInFlight: 1 }], failureHeader: true, timeouts: { queue: 0 }, ...options },
    { trustProxy: true },
  )
  const { queue } = app.balancer
  let asked = 0
  const enter = queue.enter.bind(queue)
  queue.enter = (...request) => {
    asked++
    return enter(...request)
  }
  const first = ask(`${url}/first`)
  await until('the backend is occupied', () => held.length === 1)
  return {
    balancer: app.balancer,
    first,
    url,
    /** Asks, and waits until the request has come to the queue. */
    async line(path: string, name: string) {
      const before = asked
      const answer = ask(url + path, { headers: { 'x-priority': name } })
      await until(`${path} is there`, () => asked > before)
      return { answer }
    },
    /** Answers all that come, one after the other; returns their paths. */
    async serve(count: number): Promise<readonly string[]> {
      for (let index = 0; index < count; index++) {
        await until('the next has arrived', () => held.length === 1)
        held.shift()!.end('served')
      }
      return backend.received.map(({ url: path }) => path!)
    },
  }
}

test('the most important class is served first, and displaces the newest of the least when the queue is full', async (t) => {
  const { balancer, first, line, serve } = await start(t, { queue: { max: 3, priority } })
  const low = await line('/low', 'low')
  const newestLow = await line('/newest-low', 'low')
  const normal = await line('/normal', 'normal')
  assert.deepEqual(balancer.toJSON().waitingByClass, { high: 0, normal: 1, low: 2 })
  const refused = await (await line('/refused', 'low')).answer
  assert.deepEqual([refused.status, refused.headers['x-balancer-failure']], [503, 'queue-full'])
  const high = await line('/high', 'high')
  const displaced = await newestLow.answer
  assert.deepEqual([displaced.status, displaced.headers['x-balancer-failure']], [503, 'queue-full'])
  assert.equal(displaced.headers['retry-after'], '1')
  assert.deepEqual(balancer.toJSON().waitingByClass, { high: 1, normal: 1, low: 1 })
  assert.deepEqual(await serve(4), ['/first', '/high', '/normal', '/low'])
  for (const answer of [first, low.answer, normal.answer, high.answer]) assert.equal((await answer).status, 200)
  assert.deepEqual([balancer.queue.length, balancer.backends[0]!.inFlight], [0, 0])
})

test('in overload the newest is served, and who has waited too long gets 503', async (t) => {
  const clock = new ManualClock()
  const { balancer, first, line, serve } = await start(t, { clock, queue: { shed: 'codel', target: 5, interval: 100 } })
  const old = await line('/old', '')
  clock.advance(97)
  const aged = await line('/aged', '')
  const newer = await line('/newer', '')
  clock.advance(3)
  const newest = await line('/newest', '')
  const shed = await old.answer
  assert.deepEqual([shed.status, shed.headers['x-balancer-failure']], [503, 'queue-shed'])
  assert.equal(shed.headers['retry-after'], '1')
  // It is turned away as well when a place is given, though nobody else has come.
  clock.advance(3)
  await serve(1)
  assert.equal((await aged.answer).headers['x-balancer-failure'], 'queue-shed')
  assert.deepEqual(await serve(2), ['/first', '/newest', '/newer'])
  for (const answer of [first, newer.answer, newest.answer]) assert.equal((await answer).status, 200)
  assert.equal(balancer.queue.length, 0)
})

test('classes, order and bounds change while requests wait', async (t) => {
  const { balancer, first, line, serve } = await start(t, {})
  const one = await line('/one', 'high')
  const two = await line('/two', 'low')
  const options = { backends: [...balancer.listed], timeouts: { queue: 0 } }
  const change = await balancer.prepare({ ...options, queue: { max: 4, priority, shed: 'codel' } })
  assert.deepEqual(change.faults, [])
  assert.deepEqual(change.changes.map(({ option }) => option).toSorted(), [
    'failureHeader',
    'queue.max',
    'queue.priority.classes',
    'queue.priority.default',
    'queue.priority.header',
    'queue.priority.share',
    'queue.shed',
  ])
  change.commit()
  assert.deepEqual(balancer.queue.byClass, { high: 0, normal: 2, low: 0 })
  const high = await line('/high', 'high')
  assert.deepEqual(balancer.queue.byClass, { high: 1, normal: 2, low: 0 })
  assert.equal((await serve(2)).at(-1), '/high')
  const back = await balancer.prepare(options)
  back.commit()
  assert.equal(balancer.queue.byClass, undefined)
  assert.deepEqual(await serve(2), ['/first', '/high', '/one', '/two'])
  for (const answer of [first, one.answer, two.answer, high.answer]) assert.equal((await answer).status, 200)
  const wrong = await balancer.prepare({ ...options, queue: { priority: { classes: ['a', 'b'], default: 'c' } } })
  assert.equal(wrong.faults.length, 2)
  wrong.abandon()
})

import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { startBackend } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import fleet, { MemoryStore } from '../../src/index.ts'

/** A backend that answers when the test says so, and instances that share it. */
async function stage(t: TestContext, maxInFlight: number) {
  const open: ServerResponse[] = []
  const { url } = await startBackend(t, (_request, response) => void open.push(response))
  const clock = new ManualClock(1000)
  const store = new MemoryStore()
  const options: BalancerOptions = {
    backends: [{ id: 'a', url, maxInFlight }],
    timeouts: { queue: 0, headers: 0, idle: 0 },
    clock,
  }
  const join = async (id: string, prepare: (app: FastifyInstance) => void = () => {}) => {
    const app = Fastify()
    t.after(() => app.close())
    await app.register(fleet, { store, id, heartbeat: 60_000 })
    await app.register(balancer, options)
    prepare(app)
    const own = await app.listen({ port: 0, host: '127.0.0.1' })
    const backend = () => app.balancer.backend('a')
    const ask = (count: number) => Array.from({ length: count }, () => fetch(own).then((answer) => answer.text()))
    return { app, backend, ask }
  }
  return { clock, open, join }
}

const answerAll = (open: ServerResponse[]) => {
  for (const response of open.splice(0)) response.end()
}

test('instances that join divide what a backend takes, and get the part of one that leaves', async (t) => {
  const { join } = await stage(t, 64)
  const first = await join('1')
  await until('the first has all', () => first.backend().limit === 64)
  const second = await join('2')
  await until('each has half', () => first.backend().limit === 32 && second.backend().limit === 32)
  assert.equal(second.backend().maxInFlight, 64)
  await first.app.close()
  await until('the second has all', () => second.backend().limit === 64)
})

test('a change of the most, and new backends, are divided too', async (t) => {
  const { join } = await stage(t, 64)
  const all = [await join('1'), await join('2')]
  await all[0]!.app.balancer.update('a', { maxInFlight: 10 })
  await all[1]!.app.balancer.add({ id: 'b', url: 'http://b.test', maxInFlight: 7 })
  await until('the new ones hold', () => all.every(({ backend }) => backend().limit === 5))
  const limits = () => all.map(({ app }) => app.balancer.backend('b').limit).toSorted((one, other) => one - other)
  await until('the new backend is divided', () => limits().join() === '3,4')
})

test('an instance that needs more gets what others leave, once their requests have left it', async (t) => {
  const { join, open, clock } = await stage(t, 8)
  const [first, second] = [await join('1'), await join('2')]
  await until('each has half', () => first.backend().limit === 4 && second.backend().limit === 4)
  const early = first.ask(4)
  await until('its part is in use', () => open.length === 4)
  const late = second.ask(9)
  await until('the others wait', () => second.app.balancer.queue.length === 5)
  // Both need all that they have.
  clock.advance(2000)
  assert.deepEqual([first.backend().limit, second.backend().limit], [4, 4])
  answerAll(open.splice(0, 4))
  await Promise.all(early)
  await until('four are served', () => open.length === 4)
  // The peak of the first is forgotten after two periods; the hints travel meanwhile.
  for (let period = 0; period < 4; period++) {
    clock.advance(1000)
    // oxlint-disable-next-line no-await-in-loop -- the messages of a period come before the next one
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until('those that waited are served', () => open.length === 7)
  assert.deepEqual([first.backend().limit, second.backend().limit], [1, 7])
  let isOver = false
  const over = Promise.all(late).then(() => (isOver = true))
  await until('all are answered', () => {
    answerAll(open)
    return isOver
  })
  await over
})

test('fewer places than instances: each has one', async (t) => {
  const { join } = await stage(t, 2)
  const all = [await join('1'), await join('2'), await join('3')]
  await until('each has one', () => all.every(({ backend }) => backend().limit === 1))
})

test('what another extension has found to be the most is divided, on average', async (t) => {
  const { join, clock, open } = await stage(t, 64)
  const found = (limit: number) => (app: FastifyInstance) => app.balancer.limit(app.balancer.backend('a'), limit, 'x')
  const [first, second] = [await join('1', found(20)), await join('2', found(20))]
  await until('each has half', () => first.backend().limit === 10 && second.backend().limit === 10)
  // One that sends nothing knows nothing.
  found(12)(first.app)
  const asked = first.ask(6)
  await until('they are in flight', () => open.length === 6)
  const isDivided = () => first.backend().limit + second.backend().limit
  for (let period = 0; period < 3; period++) {
    clock.advance(1000)
    // oxlint-disable-next-line no-await-in-loop -- the messages of a period come before the next one
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(isDivided(), 12)
  answerAll(open)
  await Promise.all(asked)
})

test('`divideLimits: false` leaves each instance what it would have alone', async (t) => {
  const store = new MemoryStore()
  for (const id of ['1', '2']) {
    const app = Fastify()
    t.after(() => app.close())
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await app.register(fleet, { store, id, heartbeat: 60_000, divideLimits: false })
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await app.register(balancer, { backends: [{ id: 'a', url: 'http://a.test', maxInFlight: 64 }] })
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await app.ready()
    assert.equal(app.balancer.backend('a').limit, 64)
  }
})

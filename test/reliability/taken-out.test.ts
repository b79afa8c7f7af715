import type { Balancer, BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask, type Question } from '../support/ask.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import { until } from '../support/until.ts'

/** What an operator can order, with what is under way cut after a short while, or at once. */
const orders: Readonly<Record<string, (balancer: Balancer, other: string) => Promise<unknown>>> = {
  maintain: (balancer) => balancer.maintain('a'),
  'drain, past its deadline': (balancer) => balancer.drain('a', { deadline: 20 }),
  'remove, past its deadline': (balancer) => balancer.remove('a', { deadline: 20 }),
  'a list without it, past the deadline': (balancer, other) => balancer.setBackends([{ url: other, id: 'b' }]),
}

const post: Question = { method: 'POST', body: 'once' }
const small: Question = { method: 'PUT', body: 'small' }

/** `a` does what it is told to; `b`, which is asked second, echoes. */
async function start(t: TestContext, a: string, options: BalancerOptions = {}) {
  const b = await startBackend(t, (incoming, response) => void incoming.pipe(response.setHeader('x-from', 'b')))
  const { app, url } = await startApp(t, {
    backends: [
      { url: a, id: 'a' },
      { url: b.url, id: 'b', priority: 1 },
    ],
    timeouts: { connect: 60_000 },
    drainDeadline: 20,
    failureHeader: true,
    ...options,
  })
  const { balancer } = app
  const view = balancer.backend('a')
  return {
    b,
    balancer,
    view,
    /** Asks; the request is under way at `a`. */
    async begin(question: Question) {
      const goal = view.requests + 1
      const answer = ask(url, question)
      await until('it is under way', () => view.requests === goal && view.inFlight > 0)
      return { answer }
    },
  }
}

/** A backend that is deaf in one way or the other. */
const deaf: Readonly<Record<string, (t: TestContext) => Promise<string>>> = {
  async 'does not complete the TCP handshake'(t) {
    const { first: port } = await startChild(t, new URL('stopped-backend.ts', import.meta.url))
    // The queue is full once somebody is left waiting.
    const waiting = Array.from({ length: 8 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
    t.after(() => waiting.forEach((socket) => socket.destroy()))
    await until('some are connected', () => waiting.some(({ connecting }) => !connecting))
    return `http://127.0.0.1:${Number(port)}`
  },
  async 'hangs in its TLS handshake'(t) {
    return (await startRawBackend(t, (socket) => socket.resume())).replace('http:', 'https:')
  },
}

for (const [order, take] of Object.entries(orders))
  describe(`${order}: a backend that`, () => {
    for (const [way, startDeaf] of Object.entries(deaf))
      for (const [name, question, body] of [
        ['a GET', {}, ''],
        ['a POST', post, 'once'],
      ] as const)
        test(`${way}: ${name} goes elsewhere, without a retry`, async (t) => {
          if (way.includes('TCP') && process.platform !== 'linux') return t.skip('a full queue behaves differently')
          const retry = { attempts: 0, budget: { ratio: 0, floor: 0 } }
          const { b, balancer, view, begin } = await start(t, await startDeaf(t), { retry })
          const { answer } = await begin(question)
          await take(balancer, b.url)
          assert.deepEqual([(await answer).status, (await answer).body], [200, body])
          assert.equal((await answer).headers['x-from'], 'b')
          assert.deepEqual([view.inFlight, view.outcomes], [0, { 'drain-deadline': 1 }])
        })

    test('holds a streamed upload that was not begun: it goes elsewhere whole', async (t) => {
      const { b, balancer, begin } = await start(t, await deaf['hangs in its TLS handshake']!(t))
      const body = Buffer.alloc(300_000, 'x')
      const { answer } = await begin({ method: 'POST', body })
      await take(balancer, b.url)
      assert.deepEqual([(await answer).status, (await answer).body.length], [200, body.length])
    })

    test('does not answer: a GET goes elsewhere, a POST and a PUT get 503', async (t) => {
      const a = await startBackend(t, (incoming) => void incoming.resume())
      const { b, balancer, view, begin } = await start(t, a.url)
      const answers = [(await begin({})).answer, (await begin(post)).answer, (await begin(small)).answer]
      await until('all have arrived', () => a.received.length === 3)
      await take(balancer, b.url)
      const [got, posted, put] = await Promise.all(answers)
      assert.deepEqual([got!.status, got!.headers['x-from']], [200, 'b'])
      for (const answer of [posted!, put!]) {
        const { status, headers } = answer
        assert.deepEqual([status, headers['x-balancer-failure'], headers['retry-after']], [503, 'drain-deadline', '1'])
      }
      assert.equal(b.received.length, 1)
      assert.deepEqual([view.inFlight, view.outcomes, view.penalty], [0, { 'drain-deadline': 3 }, 0])
    })

    test('does not answer: what may be repeated keeps to the budget, and to the number of attempts', async (t) => {
      const a = await startBackend(t, (incoming) => void incoming.resume())
      for (const retry of [{ attempts: 0 }, { budget: { ratio: 0, floor: 0 } }, { methods: [] }]) {
        const { b, balancer, begin } = await start(t, a.url, { retry })
        const { answer } = await begin({})
        await until('it has arrived', () => a.received.length > 0)
        a.received.length = 0
        await take(balancer, b.url)
        assert.deepEqual([(await answer).status, b.received.length], [503, 0])
      }
    })

    test('has begun to answer: the client sees a broken transfer', async (t) => {
      const sockets: Socket[] = []
      const a = await startRawBackend(t, (socket) => {
        sockets.push(socket)
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'))
      })
      const { b, balancer, view, begin } = await start(t, a, { lane: 'raw' })
      const { answer } = await begin({})
      await until('the beginning has arrived', () => view.bytesReceived > 0)
      await take(balancer, b.url)
      const { status, whole, body } = await answer
      assert.deepEqual([status, whole, body], [200, false, 'half'])
      assert.equal(b.received.length, 0)
      assert.deepEqual(view.outcomes, { 'drain-deadline': 1 })
    })
  })

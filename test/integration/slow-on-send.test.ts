import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { request, type RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'

const never = () => {}

/** An app whose onSend hook waits until it is told to go on. What breaks meanwhile must not break the process. */
async function start(t: TestContext, listener: RequestListener) {
  const backend = await startBackend(t, listener)
  const app = Fastify()
  const waiting: (() => void)[] = []
  app.addHook('onSend', async (incoming) => {
    if (incoming.url !== '/held') return
    await new Promise<void>((resolve) => void waiting.push(resolve))
  })
  await app.register(balancer, { backends: [{ url: backend.url, id: 'one' }] })
  const started = await listenApp(t, app)
  const { balancer: own } = started.app
  return {
    url: `${started.url}/held`,
    backend,
    balancer: own,
    waiting,
    async untilRest() {
      await until('all has ended', () => own.exchanges === 0 && own.backends[0]!.inFlight === 0)
    },
  }
}

/** Begins a response, and never ends it. */
const begin: RequestListener = (_incoming, response) => void response.write('a beginning')

test('a backend that breaks off while a hook of the app looks at its response', async (t) => {
  const { url, backend, balancer: own, waiting, untilRest } = await start(t, begin)
  const answer = ask(url)
  await until('the hook is at work', () => waiting.length === 1)
  for (const socket of backend.sockets) socket.destroy()
  await until('the attempt has ended', () => own.backends[0]!.inFlight === 0)
  waiting[0]!()
  const { status, whole } = await answer
  assert.ok(status === 502 || !whole)
  await untilRest()
  assert.deepEqual(own.backends[0]!.outcomes, { 'body-truncated': 1 })
})

test('a response that is cut by a deadline while a hook of the app looks at it', async (t) => {
  const { url, balancer: own, waiting, untilRest } = await start(t, begin)
  const answer = ask(url)
  await until('the hook is at work', () => waiting.length === 1)
  assert.equal(await own.drain('one', { deadline: 20 }), false)
  waiting[0]!()
  const { status, whole } = await answer
  assert.ok(status === 503 || !whole)
  await untilRest()
})

test('a client that leaves while a hook of the app looks at its response', async (t) => {
  const { url, backend, balancer: own, waiting, untilRest } = await start(t, begin)
  const outgoing = request(url, { agent: false }).on('error', never).end()
  await until('the hook is at work', () => waiting.length === 1)
  outgoing.destroy()
  await until('the backend is rid of it', () => backend.sockets.size === 0)
  waiting[0]!()
  await untilRest()
  assert.deepEqual(own.backends[0]!.outcomes, { 'client-gone': 1 })
})

test('a response that has ended long before the hook of the app is done with it', async (t) => {
  for (const body of ['short', 'long '.repeat(100_000)]) {
    const { url, balancer: own, waiting, untilRest } = await start(t, (_incoming, response) => response.end(body))
    const answer = ask(url)
    await until('the hook is at work', () => waiting.length === 1)
    if (body === 'short') await until('the attempt has ended', () => own.backends[0]!.inFlight === 0)
    waiting[0]!()
    const { status, whole, body: received } = await answer
    assert.deepEqual([status, whole, received === body], [200, true, true])
    await untilRest()
  }
})

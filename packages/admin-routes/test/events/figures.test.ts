import { Value } from '@sinclair/typebox/value'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { subscribersOf } from '../../../../test/support/subscribers.ts'
import { until } from '../../../../test/support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../../../../test/support/upgrade-backend.ts'
import { FiguresEvent } from '../../src/figures/figures-event.ts'
import { at, read, start, type Reader, type StageOptions } from './stage.ts'

const exchangeEnd = channel('balancer-core:exchange:end')
const none = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 }

function figuresIn({ received }: Reader): FiguresEvent[] {
  return [...received.matchAll(/^event: figures\ndata: (.*)\n\n/gm)].map(([, data]) => {
    const figures = JSON.parse(data!) as FiguresEvent
    assert.deepEqual([...Value.Errors(FiguresEvent, figures)], [])
    return figures
  })
}

async function take(reader: Reader, count: number): Promise<FiguresEvent[]> {
  await until(`figures have come ${count} times`, () => figuresIn(reader).length >= count)
  return figuresIn(reader)
}

/** A backend `a` that answers when it is told to, and `b` on which nobody listens; `a` is the first that is asked. */
async function held(t: TestContext, options: StageOptions = {}) {
  const open: ServerResponse[] = []
  const a = await startBackend(t, (_request, response) => void open.push(response))
  const list = [
    { id: 'a', url: a.url },
    { id: 'b', url: await unusedOrigin() },
  ]
  const stage = await start(t, { ...options, balancer: { backends: list, ...options.balancer } })
  const finish = async (after: number, status = 200) => {
    await until('the backend has it', () => open.length === 1)
    stage.clock.advance(after)
    const response = open.pop()!
    response.statusCode = status
    response.end('done')
  }
  return { ...stage, open, finish }
}

test('says once a second what has ended since, how, and in what time', async (t) => {
  const { url, port, app, clock, open, finish } = await held(t)
  const reader = await read(t, { url, port, app }, '?type=figures')
  // To a; then twice to b, where nobody is, and so to a.
  for (const [after, status] of [
    [10, 200],
    [30, 200],
    [20, 500],
  ] as const) {
    const answered = ask(url)
    await finish(after, status)
    assert.equal((await answered).status, status)
  }
  const running = ask(url)
  await until('a has one more', () => open.length === 1)
  clock.advance(940)
  const [told] = await take(reader, 1)
  assert.deepEqual(told, {
    type: 'figures',
    balancer: 'default',
    at,
    seconds: 1,
    requests: 3,
    failed: 1,
    responses: { ...none, '2xx': 2, '5xx': 1 },
    retries: 2,
    latency: { p50: 20, p95: 30, p99: 30 },
    exchanges: 1,
    tunnels: 0,
    waiting: 0,
    backends: [
      {
        id: 'a',
        requests: 3,
        failed: 1,
        responses: { ...none, '2xx': 2, '5xx': 1 },
        inFlight: 1,
        tunnels: 0,
        latency: { p50: 20, p95: 30, p99: 30 },
      },
      { id: 'b', requests: 3, failed: 3, responses: none, inFlight: 0, tunnels: 0, latency: null },
    ],
  })

  await finish(0)
  await running
  clock.advance(1000)
  const [, next] = await take(reader, 2)
  assert.deepEqual(
    [next!.requests, next!.failed, next!.latency, next!.exchanges],
    [1, 0, { p50: 940, p95: 940, p99: 940 }, 0],
  )
  clock.advance(1000)
  const [, , empty] = await take(reader, 3)
  assert.deepEqual([empty!.requests, empty!.latency], [0, null])
})

test('a client that leaves is no failure', async (t) => {
  const { url, clock, app, port, open } = await held(t)
  const reader = await read(t, { url, port, app }, '?type=figures')
  const leaving = new AbortController()
  const gone = fetch(url, { signal: leaving.signal }).catch(() => 'gone')
  await until('the backend has it', () => open.length === 1)
  leaving.abort()
  assert.equal(await gone, 'gone')
  await until('it has ended', () => app.balancer.exchanges === 0)
  clock.advance(1000)
  const [told] = await take(reader, 1)
  assert.deepEqual([told!.requests, told!.failed], [1, 0])
})

test('only to those who ask by name, and nothing is measured for others', async (t) => {
  const { url, port, app, clock, finish } = await held(t)
  const all = await read(t, { url, port, app })
  const other = await read(t, { url, port, app }, '?type=veto')
  // The history listens, and nobody else.
  assert.equal(subscribersOf(exchangeEnd), 1)
  const watching = await read(t, { url, port, app }, '?type=veto,figures&balancer=default')
  assert.equal(subscribersOf(exchangeEnd), 2)
  const answered = ask(url)
  await finish(1)
  await answered
  clock.advance(1000)
  await take(watching, 1)
  app.balancer.veto(app.balancer.backends[0]!, { by: 'test', reason: 'to see that nothing came before' })
  await Promise.all([all.take(1), other.take(1), watching.take(1)])
  assert.deepEqual([figuresIn(all), figuresIn(other)], [[], []])

  watching.socket.destroy()
  await until('it has gone', () => {
    clock.advance(1000)
    return subscribersOf(exchangeEnd) === 1
  })
  const again = await read(t, { url, port, app }, '?type=figures')
  clock.advance(1000)
  assert.equal((await take(again, 1))[0]!.requests, 0)
})

test('not of another balancer than the one that was asked about, nor of another server', async (t) => {
  const { url, port, app, clock } = await held(t, {
    plugins: async (one) => {
      const { default: balancer } = await import('@fastify-balancer/balancer-core')
      await one.register(balancer, { name: 'other', prefix: '/other', backends: [] })
    },
  })
  const elsewhere = await held(t)
  const both = await read(t, { url, port, app }, '?type=figures')
  const one = await read(t, { url, port, app }, '?type=figures&balancer=other')
  assert.equal((await ask(`${url}/other`)).status, 503)
  const answered = ask(elsewhere.url)
  await elsewhere.finish(1)
  await answered
  clock.advance(1000)
  assert.deepEqual(
    (await take(both, 2)).map(({ balancer, requests, failed }) => [balancer, requests, failed]),
    [
      ['default', 0, 0],
      ['other', 1, 1],
    ],
  )
  assert.deepEqual(
    (await take(one, 1)).map(({ balancer }) => balancer),
    ['other'],
  )
})

test('ends with the app', async (t) => {
  const { url, port, app } = await held(t)
  await read(t, { url, port, app }, '?type=figures')
  await app.close()
  assert.equal(subscribersOf(exchangeEnd), 0)
})

test('a request for a tunnel counts when its handshake has ended, and no later', async (t) => {
  const backend = await startUpgradeBackend(t, (head, { socket }) => {
    stage.clock.advance(25)
    socket.on('end', () => socket.end())
    return `${switching(head)}\r\n`
  })
  const stage = await start(t, { balancer: { backends: [{ id: 'a', url: backend.url }] } })
  const { port, clock, app } = stage
  const reader = await read(t, stage, '?type=figures')
  const client = await rawClient(t, port)
  client.send(handshake())
  await client.until(/ 101 /)
  clock.advance(975)
  const [told] = await take(reader, 1)
  const latency = { p50: 25, p95: 25, p99: 25 }
  assert.deepEqual(
    [told!.requests, told!.failed, told!.latency, told!.exchanges, told!.tunnels, told!.backends],
    [
      1,
      0,
      latency,
      1,
      1,
      [{ id: 'a', requests: 1, failed: 0, responses: { ...none, '1xx': 1 }, inFlight: 0, tunnels: 1, latency }],
    ],
  )
  client.socket.destroy()
  await until('it is closed', () => app.balancer.exchanges === 0)
  clock.advance(1000)
  const [, next] = await take(reader, 2)
  assert.deepEqual([next!.requests, next!.latency, next!.exchanges, next!.tunnels], [0, null, 0, 0])
})

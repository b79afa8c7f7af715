import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Gauge, Registry } from 'prom-client'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { rawClient } from '../../../test/support/raw.ts'
import { until } from '../../../test/support/until.ts'
import metrics from '../src/index.ts'

const request = 'GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'

/** Figures that take until `go` is called. */
async function slow(t: TestContext) {
  const registry = new Registry()
  const open = new Set<Socket>()
  let written = 0
  let received = 0
  let go = () => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  const collect = async () => {
    written++
    await gate
  }
  new Gauge({ name: 'slow', help: 'It takes long', registers: [registry], collect }).set(1)
  const app = Fastify({ forceCloseConnections: true })
  app.server.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  app.addHook('onRequest', async () => void received++)
  await app.register(balancer, { backends: [] })
  await app.register(metrics, { registry })
  const { url, port } = await listenApp(t, app)
  t.after(() => go())
  return { url, port, go, open, received: () => received, written: () => written }
}

test('16 may ask at once, more are told when to come back; the figures are written once for all', async (t) => {
  const { url, go, received, written } = await slow(t)
  const first = Array.from({ length: 16 }, () => ask(`${url}/metrics`))
  await until('all of them ask', () => received() === 16)
  const { status, headers, body } = await ask(`${url}/metrics`)
  assert.deepEqual(
    [status, headers['retry-after'], JSON.parse(body).code],
    [503, '1', 'FST_BALANCER_METRICS_TOO_MANY_SCRAPES'],
  )
  assert.equal(written(), 1)
  go()
  for (const answer of await Promise.all(first)) assert.equal(answer.status, 200)
  assert.equal((await ask(`${url}/metrics`)).status, 200)
})

for (const [what, times] of [
  ['16 clients that go', 1],
  ['a client that has asked 100 times on one connection, and goes', 100],
] as const)
  test(`${what} give their places back`, async (t) => {
    const { url, port, go, open, received, written } = await slow(t)
    const clients = await Promise.all(Array.from({ length: times === 1 ? 16 : 1 }, () => rawClient(t, port)))
    for (const client of clients) client.send(request.repeat(times))
    await until('all have asked', () => received() === clients.length * times)
    assert.equal((await ask(`${url}/metrics`)).status, 503)
    for (const { socket } of clients) socket.destroy()
    await until('all have gone', () => open.size === 0)
    const before = received()
    const answered = ask(`${url}/metrics`).then(({ status }) => status)
    await until('another asks', () => received() > before)
    await setImmediate()
    go()
    assert.equal(await answered, 200)
    assert.equal(written(), 1)
  })

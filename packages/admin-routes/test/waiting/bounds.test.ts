import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { rawClient, type RawClient } from '../../../../test/support/raw.ts'
import { subscribersOf } from '../../../../test/support/subscribers.ts'
import { until } from '../../../../test/support/until.ts'
import adminRoutes, { type AdminRoutesOptions } from '../../src/index.ts'

/** One request is under way at a backend, so that nothing is idle. */
async function busy(t: TestContext, admin: AdminRoutesOptions = {}) {
  let isBusy = false
  const backend = await startBackend(t, () => void (isBusy = true))
  const app = Fastify({ forceCloseConnections: true })
  await app.register(balancer, { backends: [{ id: 'a', url: backend.url }], drainDeadline: 1 })
  await app.register(adminRoutes, { insecure: true, ...admin })
  const { url, port } = await listenApp(t, app)
  const running = await rawClient(t, port)
  running.send('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await until('the backend has it', () => isBusy)
  return { url, port }
}

const request = (path: string) => `GET /_balancer${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`

/** Asks until a place is free; every refusal says when to come back. */
async function freed(url: string, path: string): Promise<number> {
  for (;;) {
    const { status, headers } = await ask(`${url}/_balancer${path}`)
    if (status !== 503) return status
    assert.equal(headers['retry-after'], '1')
  }
}

for (const [path, ends] of [
  ['/balancers/default/backends/a/wait', channel('balancer-core:attempt:end')],
  ['/server/wait', channel('balancer-core:exchange:end')],
] as const) {
  const long = request(`${path}?timeout=600000`)
  /** Beside those that wait, the history listens. */
  const count = () => subscribersOf(ends) - 1

  test(`${path}: 100 may wait, and who leaves makes room`, async (t) => {
    const { url, port } = await busy(t)
    const clients: RawClient[] = []
    for (let index = 0; index < 100; index++) {
      const client = await rawClient(t, port)
      client.send(long)
      clients.push(client)
    }
    await until('all of them wait', () => count() === 100)
    const { status, headers, body } = await ask(`${url}/_balancer${path}?timeout=1`)
    assert.deepEqual(
      [status, headers['retry-after'], JSON.parse(body).code],
      [503, '1', 'FST_BALANCER_ADMIN_TOO_MANY_WAITING'],
    )
    clients[0]!.socket.destroy()
    assert.equal(await freed(url, `${path}?timeout=1`), 202)
    for (const { socket } of clients) socket.destroy()
    await until('nobody waits', () => count() === 0)
  })

  test(`${path}: a connection that has asked 200 times, and is lost, leaves nothing behind`, async (t) => {
    const { url, port } = await busy(t)
    const client = await rawClient(t, port)
    client.send(long.repeat(200))
    await until('100 of them wait', () => count() === 100)
    client.socket.destroy()
    await until('nobody waits', () => count() === 0)
    assert.equal(await freed(url, `${path}?timeout=1`), 202)
  })
}

test('/events: streams behind one another on a lost connection leave no place taken', async (t) => {
  const { url, port } = await busy(t, { events: { maxStreams: 3 } })
  const client = await rawClient(t, port)
  client.send(request('/events').repeat(3))
  await client.until(/^id: /m)
  const { status, headers } = await ask(`${url}/_balancer/events`)
  assert.deepEqual([status, headers['retry-after']], [503, '1'])
  client.socket.destroy()
  for (;;) {
    const next = await rawClient(t, port)
    next.send(request('/events'))
    const answer = await next.until(/^id: |"statusCode":503/m)
    if (answer.includes('text/event-stream')) break
  }
})

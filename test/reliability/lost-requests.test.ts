import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'

/** How long a backend works at a request before it crashes (ms): longer than anything that was closed before it came. */
const work = 300

const losses: Record<string, (socket: Socket) => void> = {
  resets: (socket) => void socket.resetAndDestroy(),
  closes: (socket) => void socket.destroy(),
  'half-closes': (socket) => void socket.end(),
}

/** Backends that answer `/warm`, so that a connection is kept, and lose every other request while at work on it. */
async function start(t: TestContext, count: number, lose: (socket: Socket) => void, options: BalancerOptions = {}) {
  let delivered = 0
  const backends = await Promise.all(
    Array.from({ length: count }, () =>
      startBackend(t, (incoming, response) => {
        if (incoming.url === '/warm') {
          response.end('warm')
          return
        }
        delivered++
        incoming.resume()
        setTimeout(() => lose(incoming.socket), work)
      }),
    ),
  )
  const { app, url } = await startApp(t, { backends: backends.map((backend) => backend.url), ...options })
  return {
    url,
    backends: app.balancer.backends,
    get delivered() {
      return delivered
    },
    async warm() {
      for (let index = 0; index < count; index++) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other, so that each backend gets one
        assert.equal((await ask(`${url}/warm`)).body, 'warm')
      }
    },
  }
}

// At once: all they do is wait for it to crash.
describe('a backend that crashes while it is at work on a request of a kept connection', { concurrency: true }, () => {
  for (const [loss, lose] of Object.entries(losses)) {
    test(`and ${loss} is at fault, each time: POST`, async (t) => {
      const front = await start(t, 1, lose)
      for (let count = 0; count < 5; count++) {
        // oxlint-disable-next-line no-await-in-loop -- each on a connection that was used before
        await front.warm()
        // oxlint-disable-next-line no-await-in-loop -- the same
        assert.equal((await ask(front.url, { method: 'POST', body: 'once' })).status, 502)
      }
      assert.equal(front.delivered, 5)
      assert.deepEqual(front.backends[0]!.outcomes, { ok: 5, 'reset-before-headers': 5 })
      assert.ok(front.backends[0]!.penalty > 0)
    })

    test(`and ${loss} uses up the retry: GET`, async (t) => {
      const front = await start(t, 3, lose)
      await front.warm()
      assert.equal((await ask(front.url)).status, 502)
      assert.equal(front.delivered, 2)
      const outcomes = front.backends.map(({ outcomes: all }) => all['reset-before-headers'] ?? 0)
      assert.deepEqual(
        outcomes.toSorted((a, b) => a - b),
        [0, 1, 1],
      )
      assert.ok(front.backends.every(({ outcomes: all }) => all['stale-connection'] === undefined))
    })
  }

  test('has had a large upload: it is at fault', async (t) => {
    const front = await start(t, 1, losses['resets']!)
    await front.warm()
    assert.equal((await ask(front.url, { method: 'POST', body: 'x'.repeat(900_000) })).status, 502)
    assert.deepEqual(front.backends[0]!.outcomes, { ok: 1, 'reset-before-headers': 1 })
  })
})

test('a request that no byte of which was written has not been had by the backend', async (t) => {
  const backend = await startBackend(t, undefined, 'ok')
  const { app, url, port } = await startApp(t, { backends: [backend.url] })
  assert.equal((await ask(url)).body, 'ok')
  const client = connect(port, '127.0.0.1')
  t.after(() => client.destroy())
  client.on('error', () => {})
  client.write('POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n')
  const only = app.balancer.backends[0]!
  await until('it is under way', () => only.pool.stats.running === 1)
  for (const socket of backend.sockets) socket.destroy()
  await until('it has ended', () => only.inFlight === 0)
  assert.deepEqual(only.outcomes, { ok: 1, 'stale-connection': 1 })
})

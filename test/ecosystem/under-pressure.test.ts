import underPressure from '@fastify/under-pressure'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront, ways } from '../support/front.ts'
import { keepAliveAgent } from '../support/guarded.ts'

for (const way of ways)
  test(`@fastify/under-pressure sheds load before a backend is asked, and stops when the pressure is gone, ${way}`, async (t) => {
    const agent = keepAliveAgent(t)
    let healthy = false
    const checks = new EventEmitter()
    /** The result of a check counts once the next one begins. */
    const checked = async () => {
      await once(checks, 'begun')
      await once(checks, 'begun')
    }
    const front = await startFront(t, {
      way,
      before: (app) =>
        app.register(underPressure, {
          healthCheck: async () => {
            checks.emit('begun')
            return healthy
          },
          healthCheckInterval: 1,
          message: 'Under pressure!',
          retryAfter: 50,
        }),
    })
    const refused = [
      await ask(front.url, { agent }),
      await ask(front.url, { agent, method: 'POST', body: Readable.from(['hello']) }),
      await ask(front.url, { agent, method: 'PUT', body: randomBytes(2 << 20) }),
    ]
    for (const { status, headers, body } of refused) {
      assert.deepEqual([status, headers['retry-after']], [503, '50'])
      assert.deepEqual(JSON.parse(body), {
        statusCode: 503,
        code: 'FST_UNDER_PRESSURE',
        error: 'Service Unavailable',
        message: 'Under pressure!',
      })
    }
    front.assertUntouched()

    healthy = true
    await checked()
    assert.equal((await ask(front.url, { agent })).status, 200)
    assert.equal((await ask(front.url, { agent, method: 'POST', body: 'hello' })).status, 200)

    healthy = false
    await checked()
    assert.equal((await ask(front.url, { agent })).status, 503)
    assert.equal(front.backend.received.length, 2)
  })

test('@fastify/under-pressure by a measured limit: once it has been sampled, nothing gets through', async (t) => {
  const front = await startFront(t, {
    before: (app) => app.register(underPressure, { maxRssBytes: 1, sampleInterval: 10 }),
  })
  let passed = 0
  for (;;) {
    const { status } = await ask(front.url)
    if (status === 503) break
    assert.equal(status, 200)
    passed++
  }
  assert.equal(front.backend.received.length, passed)
  assert.equal((await ask(front.url)).status, 503)
  assert.equal(front.backend.received.length, passed)
})

test('@fastify/under-pressure: a handler that only takes note lets the request be forwarded, with its headers', async (t) => {
  const front = await startFront(t, {
    before: (app) =>
      app.register(underPressure, {
        healthCheck: async () => false,
        healthCheckInterval: 1000,
        pressureHandler: (_request, reply, type) => void reply.header('x-pressure', type),
      }),
  })
  const { status, headers } = await ask(front.url)
  assert.deepEqual([status, headers['x-pressure']], [200, 'healthCheck'])
})

test('@fastify/under-pressure: a handler that answers keeps the request from the backends', async (t) => {
  const front = await startFront(t, {
    before: (app) =>
      app.register(underPressure, {
        healthCheck: async () => false,
        healthCheckInterval: 1000,
        pressureHandler: (_request, reply) => void reply.send('out of memory'),
      }),
  })
  assert.equal((await ask(front.url)).body, 'out of memory')
  front.assertUntouched()
})

test('@fastify/under-pressure: its status route is its own, beside the catch-all route', async (t) => {
  const front = await startFront(t, {
    before: (app) => app.register(underPressure, { maxHeapUsedBytes: 1e12, exposeStatusRoute: '/alive' }),
  })
  assert.equal((await ask(`${front.url}/alive`)).body, '{"status":"ok"}')
  front.assertUntouched()
  assert.equal((await ask(`${front.url}/other`)).status, 200)
})

import type { Attempt } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'

for (const [status, penalty] of [
  [200, 0],
  [404, 0],
  [429, 0],
  [500, 1],
  [501, 0],
  [503, 1],
  [599, 1],
] as const)
  test(`an answer with ${status} counts as ${penalty} more in flight for a while`, async (t) => {
    const clock = new ManualClock()
    const backend = await startBackend(t, (_incoming, response) => response.writeHead(status).end())
    const { app, url } = await startApp(t, { clock, backends: [backend.url] })
    assert.equal((await ask(url)).status, status)
    const [view] = app.balancer.backends
    assert.equal(view!.penalty, penalty)
    clock.advance(1000)
    assert.equal(view!.penalty, 0)
  })

for (const policy of ['least-requests', 'p2c'] as const)
  test(`under ${policy}, a backend that is quick to say 500 gets one request each second from a client that waits`, async (t) => {
    const clock = new ManualClock()
    const failing = await startBackend(t, (_incoming, response) => response.writeHead(500).end())
    const good = await startBackend(t)
    const { url } = await startApp(t, { clock, policy, backends: [failing.url, good.url] })
    for (let second = 0; second < 3; second++) {
      const before = failing.received.length
      for (let count = 0; count < 20; count++) await ask(url)
      // Among equals either may be asked, but never twice the one that has failed.
      assert.ok(failing.received.length - before <= 1, `${failing.received.length - before} of 20`)
      clock.advance(1000)
    }
    assert.ok(failing.received.length > 0, 'it has its chance')
  })

test('for how long its client uploads is not held against a backend', async (t) => {
  const clock = new ManualClock()
  const backend = await startBackend(t, (incoming, response) => {
    incoming.resume()
    incoming.on('end', () => {
      clock.advance(30)
      response.end()
    })
  })
  const { app, url } = await startApp(t, { clock, backends: [backend.url] })
  let attempt: Attempt | undefined
  app.balancer.addHook('onAttemptStart', (started) => {
    attempt = started
    assert.equal(started.responseTime, 0)
  })
  const body = new Readable({ read() {} })
  body.push('first')
  const answer = ask(url, { method: 'POST', body })
  await until('some of it has arrived', () => (attempt?.bytesSent ?? 0) > 0)
  clock.advance(5000)
  body.push('last')
  body.push(null)
  assert.equal((await answer).status, 200)
  assert.deepEqual([attempt!.respondedAt - attempt!.startedAt, attempt!.responseTime], [5030, 30])
  assert.equal(attempt!.backend.latency.average, 30)

  await ask(url)
  assert.deepEqual([attempt!.uploadedAt, attempt!.responseTime], [0, 30])
})

test('an answer that does not wait for the upload says nothing of how quick a backend is', async (t) => {
  const clock = new ManualClock()
  let asked = false
  const backend = await startBackend(t, (incoming, response) => {
    incoming.resume()
    asked = true
    clock.advance(5000)
    response.writeHead(413).end()
  })
  const { app, url } = await startApp(t, { clock, backends: [backend.url] })
  let attempt: Attempt | undefined
  app.balancer.addHook('onAttemptStart', (started) => void (attempt = started))
  const body = new Readable({ read() {} })
  body.push('first')
  assert.equal((await ask(url, { method: 'POST', body })).status, 413)
  assert.ok(asked && attempt !== undefined)
  assert.deepEqual([attempt.respondedAt - attempt.startedAt, attempt.responseTime], [5000, 0])
  assert.deepEqual([attempt.backend.latency.average, Math.max(...attempt.backend.latency.buckets)], [0, 0])
})

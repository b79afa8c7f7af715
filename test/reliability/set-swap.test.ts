import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { readAll, startBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'

const swaps = 1000

/** A backend that answers with the id that it was sent, and never closes a connection of its own accord. */
async function startEcho(t: TestContext) {
  const backend = await startBackend(t, (incoming, response) => {
    void readAll(incoming).then((body) => response.end(`${incoming.url} ${body}`))
  })
  backend.server.keepAliveTimeout = 600_000
  let closed = 0
  backend.server.on('connection', (socket) => socket.on('close', () => closed++))
  return {
    backend,
    /** Connections that have been closed, by whomever. */
    get closed() {
      return closed
    },
  }
}

test('the set is swapped 1000 times under load: nothing is lost, and a kept backend keeps everything', async (t) => {
  const kept = await startEcho(t)
  const [left, right] = [await startEcho(t), await startEcho(t)]
  const keptOptions = { url: kept.backend.url, id: 'kept' }
  const { app, url } = await startApp(t, {
    backends: [keptOptions, left.backend.url],
    pool: { keepAliveTimeout: 600_000 },
  })
  const { balancer } = app
  const object = balancer.backend('kept')
  const { pool } = object
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  t.after(() => agent.destroy())

  let loaded = true
  let asked = 0
  const lost: unknown[] = []
  async function load(method: string): Promise<void> {
    while (loaded) {
      const id = `/${asked++}`
      const body = method === 'POST' ? `the body of ${id}` : ''
      const answer = await ask(url + id, { method, agent, body })
      if (answer.status !== 200 || answer.body !== `${id} ${body}`) lost.push({ method, id, answer })
    }
  }
  const loads = [...Array.from({ length: 12 }, () => load('GET')), ...Array.from({ length: 12 }, () => load('POST'))]

  const revisions: number[] = []
  for (let swap = 1; swap <= swaps; swap++) {
    const other = swap % 2 === 1 ? right : left
    // The kept one stands now first, now last.
    const list = swap % 4 < 2 ? [keptOptions, other.backend.url] : [other.backend.url, keptOptions]
    const now = await balancer.setBackends(list, { revision: swap })
    revisions.push(now.revision)
    await immediate()
  }
  const goal = asked + 100
  await until('the load has gone on after the last swap', () => asked >= goal)
  loaded = false
  await Promise.all(loads)

  assert.deepEqual(lost, [])
  assert.deepEqual(
    revisions,
    Array.from({ length: swaps }, (_, index) => index + 2),
  )
  assert.equal(balancer.set.revision, swaps + 1)
  assert.equal(kept.closed, 0)
  assert.equal(balancer.backend('kept'), object)
  assert.equal(object.pool, pool)
  assert.equal(object.requests, kept.backend.received.length)
  assert.deepEqual(object.outcomes, { ok: kept.backend.received.length })
  assert.equal(object.inFlight, 0)
  assert.equal(
    [kept, left, right].reduce((sum, { backend }) => sum + backend.received.length, 0),
    asked,
  )
  for (const { backend } of [kept, left, right]) assert.ok(backend.received.length > 100)
  // What was removed has closed its connections: only the pools of the current set are left.
  await until('the connections of removed backends are closed', () => right.backend.sockets.size === 0)
  assert.equal(balancer.exchanges, 0)
})

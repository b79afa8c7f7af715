import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import { LogLines, type ExchangeLine } from '../support/log-lines.ts'
import { until } from '../support/until.ts'
import type { Delivery } from './restarting-backend.ts'

const idempotent = ['GET', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'TRACE']

/**
 * On a machine that is busy, it is noticed too late that a connection had been closed (ms): by then the backend may have had
 * the request, for all that is known.
 */
function wasSlowToNotice({ attempts }: ExchangeLine): boolean {
  const { connected = 0, ended = 0 } = attempts.at(-1) as { readonly connected?: number; readonly ended?: number }
  return ended - connected > 50
}

test('beside a backend whose workers are replaced, no idempotent request fails, and no POST arrives twice', async (t) => {
  const { child, first: port } = await startChild(t, new URL('restarting-backend.ts', import.meta.url))
  const delivered = new Map<Delivery, number>()
  child.on('message', (line: Delivery) => delivered.set(line, (delivered.get(line) ?? 0) + 1))
  const lines = new LogLines()
  const { url, app } = await startApp(
    t,
    {
      backends: [`http://127.0.0.1:${Number(port)}`],
      // Nothing is repeated but what cannot have been received.
      retry: { methods: [], budget: { ratio: 0, floor: 0 } },
    },
    { logger: lines },
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  t.after(() => agent.destroy())

  let loaded = true
  let nextId = 0
  async function load(methods: readonly string[]): Promise<void> {
    while (loaded) {
      const id = nextId++
      const method = methods[id % methods.length]!
      const hasBody = method === 'PUT' || method === 'POST'
      await ask(`${url}/${id}`, { method, agent, ...(hasBody && { body: 'a small body' }) })
    }
  }
  const loads = [
    ...Array.from({ length: 6 }, () => load(idempotent)),
    ...Array.from({ length: 2 }, () => load(['POST'])),
  ]
  for (let restarts = 0; restarts < 8; restarts++) {
    const goal = nextId + 100
    await until('there is load', () => nextId > goal, 60_000)
    child.send('restart')
    await until('it has restarted', () => delivered.get('restarted') === restarts + 1, 60_000)
  }
  loaded = false
  await Promise.all(loads)
  const { outcomes } = app.balancer.backends[0]!
  t.diagnostic(`${nextId} requests: ${JSON.stringify(outcomes)}`)
  const failures = lines.exchanges.filter((line) => line.outcome !== 'ok' && !wasSlowToNotice(line))
  assert.deepEqual(
    failures
      .map(({ method, outcome }) => `${String(method)} ${outcome}`)
      .filter((failure) => failure !== 'POST stale-connection'),
    [],
  )
  assert.deepEqual(
    [...delivered].filter(([line, times]) => line.startsWith('POST') && times > 1),
    [],
  )
  // Or it was not put to the test.
  assert.ok((outcomes['stale-connection'] ?? 0) > 0)
})

/** A backend that loses the second request on each connection. */
async function startForgetful(t: TestContext) {
  let count = 0
  const origin = await startRawBackend(t, (socket) => {
    socket.once('data', () => {
      count++
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      socket.once('data', () => socket.destroy())
    })
  })
  return {
    origin,
    get answered() {
      return count
    },
  }
}

for (const method of ['GET', 'PUT', 'DELETE'])
  test(`${method}: where there is no new connection to be had, it goes on to another, and trusts no kept one there`, async (t) => {
    const other = await startForgetful(t)
    const leaving = await startBackend(t, (incoming, response) => {
      incoming.resume()
      if (leaving.received.length === 1) response.end('here')
      else {
        // It stops listening before it closes the kept connection.
        leaving.server.close()
        incoming.socket.destroy()
      }
    })
    const { url, app } = await startApp(t, {
      backends: [
        { url: leaving.url, id: 'leaving' },
        { url: other.origin, id: 'other' },
      ],
      pool: { connections: 1 },
      retry: { methods: [], budget: { ratio: 0, floor: 0 } },
    })
    const [first, second] = [await ask(url), await ask(url)]
    assert.deepEqual([first.body, second.body], ['here', 'ok'])
    const answer = await ask(url, { method, ...(method === 'PUT' && { body: 'small' }) })
    assert.deepEqual([answer.status, answer.body], [200, 'ok'])
    assert.deepEqual(
      app.balancer.backends.map(({ outcomes }) => outcomes),
      [{ ok: 1, 'stale-connection': 1, 'connect-refused': 1 }, { ok: 2 }],
    )
    assert.equal(other.answered, 2)
  })

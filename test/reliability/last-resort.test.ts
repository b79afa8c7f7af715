import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend, unusedOrigin } from '../support/backend.ts'
import { until } from '../support/until.ts'

const opinion = { by: 'test', reason: 'it was away a moment ago' }

async function start(t: TestContext, backends: Readonly<Record<string, string>>, options: BalancerOptions = {}) {
  const { app, url } = await startApp(t, {
    backends: Object.entries(backends).map(([id, one]) => ({ url: one, id })),
    failureHeader: true,
    ...options,
  })
  return { url, balancer: app.balancer }
}

describe('when every available backend has failed a request', () => {
  for (const method of ['GET', 'POST', 'PATCH']) {
    test(`a ${method} goes on to one that has only soft vetoes`, async (t) => {
      const back = await startBackend(t, (incoming, response) => {
        incoming.resume().on('end', () => response.end('back'))
      })
      const { url, balancer } = await start(t, {
        back: back.url,
        gone: await unusedOrigin(),
        away: await unusedOrigin(),
      })
      const veto = balancer.veto(balancer.backend('back'), opinion)
      const body = method === 'GET' ? undefined : 'x'.repeat(200_000)
      const { status, body: text } = await ask(url, { method, ...(body !== undefined && { body }) })
      assert.deepEqual([status, text], [200, 'back'])
      veto.lift()
    })
  }

  test('never to one that was ordered out', async (t) => {
    const back = await startBackend(t)
    const { url, balancer } = await start(t, { back: back.url, gone: await unusedOrigin() })
    void balancer.drain('back')
    assert.equal((await ask(url)).status, 502)
    assert.equal(back.received.length, 0)
  })

  test('not where soft vetoes are never to be ignored', async (t) => {
    const back = await startBackend(t)
    const { url, balancer } = await start(t, { back: back.url, gone: await unusedOrigin() }, { panicThreshold: false })
    balancer.veto(balancer.backend('back'), opinion)
    assert.equal((await ask(url)).status, 502)
    assert.equal(back.received.length, 0)
  })

  test('to those that are less preferred first, and healthy', async (t) => {
    const [back, spare] = [await startBackend(t, undefined, 'back'), await startBackend(t, undefined, 'spare')]
    const { url, balancer } = await start(
      t,
      {},
      {
        backends: [
          { url: back.url, id: 'back' },
          { url: await unusedOrigin(), id: 'gone' },
          { url: spare.url, id: 'spare', priority: 1 },
        ],
      },
    )
    balancer.veto(balancer.backend('back'), opinion)
    assert.equal((await ask(url)).body, 'spare')
  })

  test('to three of them at most', async (t) => {
    const origins = await Promise.all(Array.from({ length: 6 }, () => unusedOrigin()))
    const backends = Object.fromEntries(origins.map((origin, index) => [`b${index}`, origin]))
    const { url, balancer } = await start(t, backends)
    const seen: string[] = []
    balancer.addHook('onAttemptStart', ({ backend, lastResort }) => void seen.push(`${backend.id} ${lastResort}`))
    for (const id of ['b1', 'b2', 'b3', 'b4', 'b5']) balancer.veto(balancer.backend(id), opinion)
    assert.equal((await ask(url)).status, 502)
    assert.deepEqual(seen, ['b0 false', 'b1 true', 'b2 true', 'b3 true'])
  })

  test('within one connect timeout in all', async (t) => {
    // They accept, and never finish the TLS handshake.
    const hanging = await Promise.all(Array.from({ length: 3 }, () => startRawBackend(t, (socket) => socket.resume())))
    const [a, b, c] = hanging.map((origin) => origin.replace('http:', 'https:')) as [string, string, string]
    const { url, balancer } = await start(t, { a, b, c, gone: await unusedOrigin() }, { timeouts: { connect: 600 } })
    const begun: number[] = []
    balancer.addHook('onAttemptStart', ({ lastResort, startedAt }) => void (lastResort && begun.push(startedAt)))
    for (const id of ['a', 'b', 'c']) balancer.veto(balancer.backend(id), opinion)
    const { status, headers } = await ask(url)
    assert.ok(status === 503 || status === 504, `${status}`)
    assert.ok(['no-backend', 'connect-timeout'].includes(String(headers['x-balancer-failure'])))
    for (const at of begun) assert.ok(at - begun[0]! < 600)
  })

  for (const [method, attempts, status] of [
    ['GET', 1, 200],
    ['GET', 0, 502],
    ['POST', 1, 502],
  ] as const) {
    const how = status === 200 ? 'also' : 'not'
    test(`${how} once a backend has broken off: ${method} that may be retried ${attempts} times`, async (t) => {
      const back = await startBackend(t)
      const cutting = await startBackend(t, (incoming) => incoming.socket.resetAndDestroy())
      const backends = { back: back.url, cutting: cutting.url, gone: await unusedOrigin() }
      const { url, balancer } = await start(t, backends, { retry: { attempts } })
      balancer.veto(balancer.backend('back'), opinion)
      assert.equal((await ask(url, { method })).status, status)
      assert.equal(back.received.length, status === 200 ? 1 : 0)
      assert.equal(cutting.received.length, 1)
    })
  }

  test('not once a backend has answered, with a status that is retried', async (t) => {
    const back = await startBackend(t)
    const busy = await startBackend(t, (_incoming, response) => response.writeHead(503).end('busy'))
    const { url, balancer } = await start(t, { back: back.url, busy: busy.url }, { retry: { statuses: [503] } })
    balancer.veto(balancer.backend('back'), opinion)
    const { status, body } = await ask(url)
    assert.deepEqual([status, body, back.received.length], [503, 'busy', 0])
  })
})

test('in a rolling restart, no request fails while one of two listens, although it is not yet trusted', async (t) => {
  const [a, b] = [await startBackend(t, undefined, 'a'), await startBackend(t, undefined, 'b')]
  const { url, balancer } = await start(t, { a: a.url, b: b.url })
  // What a circuit does that has opened while a was away.
  balancer.veto(balancer.backend('a'), { ...opinion, by: 'circuit' })
  let isOver = false
  const failed: number[] = []
  const client = async () => {
    while (!isOver) {
      const { status } = await ask(url)
      if (status !== 200) failed.push(status)
    }
  }
  const clients = Array.from({ length: 4 }, client)
  await until('b serves', () => b.received.length > 20)
  // Stops listening, and finishes what it has.
  b.server.close()
  b.server.closeIdleConnections()
  const before = a.received.length
  await until('a serves', () => a.received.length > before + 20)
  isOver = true
  await Promise.all(clients)
  assert.deepEqual(failed, [])
})

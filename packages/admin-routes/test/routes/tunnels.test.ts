import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { LogLines } from '../../../../test/support/log-lines.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { subscribersOf } from '../../../../test/support/subscribers.ts'
import { until } from '../../../../test/support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../../../../test/support/upgrade-backend.ts'
import adminRoutes, { type AdminNotice } from '../../src/index.ts'
import { TunnelsView, TunnelView } from '../../src/schemas/tunnel-views.ts'
import { ExplanationView } from '../../src/schemas/explanation.ts'
import { BackendView } from '../../src/schemas/views.ts'
import { assertIs } from '../stage.ts'

const tunnels = '/balancers/default/tunnels'
const backends = '/balancers/default/backends'
/** A close frame of a server, with status 1001, "going away" (RFC 6455 §7.4.1). */
const goingAway = '\x88\x02\x03\xe9'

/** Backends `a` and `b`, in turn, that switch to WebSocket, and close when the other side does. */
async function start(t: TestContext, options: BalancerOptions = {}) {
  const clock = new ManualClock(1000)
  const log = new LogLines()
  const app = Fastify({ logger: log })
  const startOne = () =>
    startUpgradeBackend(t, (head, { socket }) => {
      socket.on('end', () => socket.end())
      return `${switching(head)}\r\n`
    })
  const [a, b] = [await startOne(), await startOne()]
  const list = [
    { id: 'a', url: a.url },
    { id: 'b', url: b.url },
  ]
  await app.register(balancer, { backends: list, clock, ...options })
  await app.register(adminRoutes, { insecure: true, user: () => 'maria' })
  const { url, port } = await listenApp(t, app)
  const admin = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(`${url}/_balancer${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { status: answer.status, body: JSON.parse(answer.body) }
  }
  const open = async (path: string) => {
    const client = await rawClient(t, port)
    client.send(handshake(path))
    await client.until(/ 101 [^]*\r\n\r\n/)
    return client
  }
  return { app, clock, log, admin, open, a, b }
}

describe('list', () => {
  test('the oldest first, page by page, of one backend or of all', async (t) => {
    const { app, clock, admin, open, a } = await start(t)
    await open('/chat?token=secret')
    clock.advance(1000)
    await open('/two')
    await open('/three')
    a.connections[0]!.socket.write('hello')
    const [first] = [...app.balancer.tunnels]
    await until('it has passed', () => first!.bytesReceived === 5)
    clock.advance(500)

    const { status, body } = await admin('GET', tunnels)
    assert.equal(status, 200)
    assertIs(TunnelsView, body)
    const common = { protocol: 'websocket', client: '127.0.0.1', bytesSent: 0 }
    assert.deepEqual(body, {
      total: 3,
      tunnels: [
        { ...common, id: '1', backend: 'a', path: '/chat', age: 1500, bytesReceived: 5 },
        { ...common, id: '2', backend: 'b', path: '/two', age: 500, bytesReceived: 0 },
        { ...common, id: '3', backend: 'a', path: '/three', age: 500, bytesReceived: 0 },
      ],
    })
    const ids = async (query: string) => {
      const { body: page } = await admin('GET', `${tunnels}?${query}`)
      return [page.total, page.tunnels.map(({ id }: { id: string }) => id).join(' '), page.next]
    }
    assert.deepEqual(await ids('limit=2'), [3, '1 2', '2'])
    assert.deepEqual(await ids('limit=2&after=2'), [3, '3', undefined])
    assert.deepEqual(await ids('backend=a&limit=1'), [2, '1', '1'])
    assert.deepEqual(await ids('backend=a&after=1'), [2, '3', undefined])
    assert.deepEqual((await admin('GET', `${tunnels}?backend=c`)).body.code, 'FST_BALANCER_UNKNOWN_BACKEND')
    for (const query of ['limit=0', 'limit=1001', 'after=x', 'client=1'])
      assert.equal((await admin('GET', `${tunnels}?${query}`)).status, 400, query)
    assert.equal((await admin('GET', '/balancers/other/tunnels')).status, 404)
  })

  test('views of a backend, a balancer, the server, and explain count them', async (t) => {
    const { app, clock, admin, open, a } = await start(t)
    await open('/one')
    clock.advance(1000)
    await open('/two')
    a.connections[0]!.socket.write('hello')
    clock.advance(500)
    await until('it has passed', () => app.balancer.backend('a').bytesReceived === 5)
    const { body: one } = await admin('GET', `${backends}/a`)
    assertIs(BackendView, one)
    assert.deepEqual([one.tunnels, one.inFlight, one.oldestTunnel], [1, 0, 1500])
    assert.deepEqual([one.bytesReceived, one.tunnelBytesReceived, one.tunnelBytesSent], [5, 5, 0])
    const { body: other } = await admin('GET', `${backends}/b`)
    assert.deepEqual([other.oldestTunnel, other.bytesReceived], [500, 0])
    const { body: all } = await admin('GET', '/balancers')
    assert.deepEqual([all.balancers[0].exchanges, all.balancers[0].tunnels], [2, 2])
    const { body: server } = await admin('GET', '/server')
    assert.deepEqual([server.exchanges, server.tunnels, server.idle], [2, 2, false])
    const { body: explained } = await admin('POST', '/balancers/default/explain', {})
    assertIs(ExplanationView, explained)
    assert.deepEqual([explained.backends[0].tunnels, explained.backends[0].load], [1, 0.1])
  })
})

describe('close', () => {
  test('in an orderly way, once, with a line in the audit log', async (t) => {
    const { admin, open, log, app, clock } = await start(t)
    const told: AdminNotice[] = []
    const listen = (notice: unknown) => void told.push(notice as AdminNotice)
    subscribe('admin-routes:change', listen)
    t.after(() => unsubscribe('admin-routes:change', listen))
    const [first, second] = [await open('/one'), await open('/two')]
    clock.advance(2000)
    const { status, body } = await admin('DELETE', `${tunnels}/1`)
    assertIs(TunnelView, body)
    assert.deepEqual([status, body.id, body.backend, body.closedBy, body.age], [200, '1', 'a', 'operator', 2000])
    assert.ok((await first.closed()).endsWith(goingAway))
    assert.equal(log.exchanges.at(-1)!.msg, 'tunnel closed by an operator after 2 s')
    const [notice] = told
    assert.deepEqual(
      [told.length, notice!.what, notice!.backend, notice!.who, (notice!.before as { id: string }).id],
      [1, 'tunnel.close', 'a', 'maria', '1'],
    )
    assert.ok(
      log.all.some(({ msg }) => msg === 'maria closed tunnel 1 (websocket, client 127.0.0.1) of a'),
      'the audit line',
    )
    const again = await admin('DELETE', `${tunnels}/1`)
    assert.deepEqual([again.status, again.body.code], [404, 'FST_BALANCER_ADMIN_UNKNOWN_TUNNEL'])
    assert.equal((await admin('DELETE', `${tunnels}/2?dryRun=true`)).status, 400)
    assert.equal(app.balancer.tunnels.size, 1)
    second.socket.destroy()
  })
})

describe('wait', () => {
  const attemptEnd = channel('balancer-core:attempt:end')

  test('a backend is idle when its tunnels have closed, too', async (t) => {
    const { clock, admin, open } = await start(t)
    const client = await open('/one')
    const drained = await admin('PUT', `${backends}/a/state`, { state: 'drain', deadline: 0 })
    assert.deepEqual([drained.body.inFlight, drained.body.tunnels], [0, 1])
    const waiting = admin('GET', `${backends}/a/wait?timeout=5000`)
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    clock.advance(5000)
    const view = { id: 'a', state: 'drain', inFlight: 0 }
    assert.deepEqual(await waiting, { status: 202, body: { ...view, idle: false, tunnels: 1 } })
    const again = admin('GET', `${backends}/a/wait`)
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    client.socket.destroy()
    assert.deepEqual(await again, { status: 200, body: { ...view, idle: true, tunnels: 0 } })
    assert.equal(subscribersOf(attemptEnd), 1)
  })

  test('a removed one can be waited for, and its tunnels are listed, until the last has closed', async (t) => {
    const { admin, open, app } = await start(t)
    const client = await open('/one')
    assert.equal((await admin('DELETE', `${backends}/a?deadline=0`)).status, 200)
    assert.equal((await admin('GET', `${tunnels}?backend=a`)).body.total, 1)
    const waiting = admin('GET', `${backends}/a/wait`)
    await until('somebody waits', () => subscribersOf(attemptEnd) > 1)
    client.socket.destroy()
    assert.equal((await waiting).body.idle, true)
    await until('all have ended', () => app.balancer.exchanges === 0)
    assert.equal((await admin('GET', `${backends}/a/wait`)).status, 404)
  })

  test('the deadline of a drain closes them', async (t) => {
    const { clock, admin, open, log } = await start(t)
    const client = await open('/one')
    await admin('PUT', `${backends}/a/state`, { state: 'drain', deadline: 60_000 })
    clock.advance(60_000)
    assert.ok((await client.closed()).endsWith(goingAway))
    await until('it is logged', () => log.all.some(({ msg }) => msg === 'tunnel closed by a drain after 60 s'))
  })
})

import { balancer as plugin, type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { listenApp, startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { readAll, startBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'

const never = () => {}

async function start(t: TestContext, options: BalancerOptions = {}) {
  const responses = new Map<string, ServerResponse>()
  const backend = await startBackend(t, (incoming, response) => {
    responses.set(incoming.url!, response)
    if (incoming.url === '/streaming') response.write('first ')
    if (incoming.url === '/upload') void readAll(incoming).then((body) => response.end(body))
    if (incoming.url === '/quick') response.end('quick')
  })
  const { app, url, port } = await startApp(t, { backends: [backend.url], failureHeader: true, ...options })
  /** Closes the app, and waits until it takes nothing new. */
  const close = async () => {
    let closed = false
    const closing = app.close().then(() => (closed = true))
    const refused = await ask(`${url}/refused`)
    assert.ok(refused.status === 503 || refused.error !== undefined)
    return {
      closing,
      get closed() {
        return closed
      },
    }
  }
  return { app, url, port, backend, responses, balancer: app.balancer, close }
}

test('closing the app lets an injected request finish, which has no connection', async (t) => {
  const { app, responses } = await start(t)
  const injected = app.inject('/slow')
  await until('it is under way', () => responses.has('/slow'))
  const closed = app.close()
  await until('it closes', () => app.balancer.closing)
  responses.get('/slow')!.end('slow')
  assert.equal((await injected).body, 'slow')
  await closed
})

for (const lane of ['raw', 'full'] as const) {
  test(`closing the app lets everything in flight finish: ${lane} lane`, async (t) => {
    const { url, backend, responses, balancer, close } = await start(t, { lane })
    const body = new Readable({ read: never })
    body.push('first ')
    const answers = [
      ask(`${url}/slow`),
      ask(`${url}/streaming`),
      ask(`${url}/upload`, { method: 'POST', body }),
    ] as const
    await until('they are under way', () => responses.size === 3 && balancer.backends[0]!.bytesReceived > 0)

    const shutdown = await close()
    body.push('second')
    body.push(null)
    assert.equal((await answers[2]).body, 'first second')
    responses.get('/streaming')!.end('second')
    assert.equal((await answers[1]).body, 'first second')
    assert.equal(shutdown.closed, false)
    assert.equal(balancer.exchanges, 1)
    responses.get('/slow')!.end('slow')
    assert.equal((await answers[0]).body, 'slow')
    await shutdown.closing
    assert.equal(balancer.exchanges, 0)
    await until('the connections to backends are closed', () => backend.sockets.size === 0)
  })
}

test('an app that is closing takes nothing new', async (t) => {
  const { url, port, backend, responses, close } = await start(t)
  const kept = await rawClient(t, port)
  kept.send('GET /quick HTTP/1.1\r\nhost: x\r\n\r\n')
  await kept.until(/quick/)
  const slow = ask(`${url}/slow`)
  await until('it is under way', () => responses.has('/slow'))
  const shutdown = await close()
  // Neither by a new connection, nor by one that is there already.
  kept.send('GET /late HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.doesNotMatch((await kept.closed()).split('quick')[1]!, /HTTP\/1\.1 200/)
  responses.get('/slow')!.end('slow')
  assert.equal((await slow).body, 'slow')
  await shutdown.closing
  assert.deepEqual(
    backend.received.map((incoming) => incoming.url),
    ['/quick', '/slow'],
  )
})

test('what is still in flight when the time is over is cut, and nothing before', async (t) => {
  const clock = new ManualClock()
  const { url, backend, responses, balancer, close } = await start(t, { clock, drainDeadline: 2000 })
  const [slow, streaming] = [ask(`${url}/slow`), ask(`${url}/streaming`)]
  await until('they are under way', () => responses.size === 2 && balancer.backends[0]!.bytesReceived > 0)
  const shutdown = await close()
  clock.advance(1999)
  assert.deepEqual([balancer.exchanges, shutdown.closed], [2, false])
  clock.advance(1)
  const cut = await slow
  assert.deepEqual([cut.status, cut.headers['x-balancer-failure']], [503, 'drain-deadline'])
  assert.deepEqual([(await streaming).status, (await streaming).whole], [200, false])
  await shutdown.closing
  await until('both have ended', () => balancer.exchanges === 0)
  assert.deepEqual([balancer.backends[0]!.inFlight, backend.sockets.size], [0, 0])
})

test('a request that waits for a backend is served, if there is time, before the app is closed', async (t) => {
  const { url, responses, balancer, close } = await start(t, { pool: { connections: 1 }, timeouts: { queue: 0 } })
  const first = ask(`${url}/slow`)
  await until('it is under way', () => responses.has('/slow'))
  const second = ask(`${url}/quick`)
  await until('another one waits', () => balancer.queue.length === 1)
  const shutdown = await close()
  responses.get('/slow')!.end('slow')
  assert.deepEqual([(await first).body, (await second).body], ['slow', 'quick'])
  await shutdown.closing
})

test('a request that still waits when the time is over is turned away', async (t) => {
  const clock = new ManualClock()
  const { url, responses, balancer, close } = await start(t, {
    clock,
    pool: { connections: 1 },
    timeouts: { queue: 0 },
    drainDeadline: 2000,
  })
  const first = ask(`${url}/slow`)
  await until('it is under way', () => responses.has('/slow'))
  const second = ask(`${url}/waiting`)
  await until('another one waits', () => balancer.queue.length === 1)
  const shutdown = await close()
  clock.advance(2000)
  assert.equal((await first).status, 503)
  assert.equal((await second).status, 503)
  await shutdown.closing
  assert.equal(balancer.exchanges, 0)
  assert.ok(!responses.has('/waiting'))
})

test('a client that leaves while the app is closing holds nothing up', async (t) => {
  const { url, responses, balancer, close } = await start(t)
  const leaving = request(`${url}/slow`, { agent: false }).on('error', never).end()
  await until('it is under way', () => responses.has('/slow'))
  const shutdown = await close()
  leaving.destroy()
  await shutdown.closing
  assert.equal(balancer.backends[0]!.inFlight, 0)
})

test("an idle app closes at once, its backends' connections too", async (t) => {
  const { app, url, backend } = await start(t)
  await ask(`${url}/quick`)
  assert.equal(backend.sockets.size, 1)
  await app.close()
  await until('the connections to backends are closed', () => backend.sockets.size === 0)
})

test('a backend that is being removed when the app closes is waited for as well', async (t) => {
  const { url, backend, responses, balancer, close } = await start(t)
  const slow = ask(`${url}/slow`)
  await until('it is under way', () => responses.has('/slow'))
  await balancer.setBackends([], { force: true })
  const shutdown = await close()
  responses.get('/slow')!.end('slow')
  assert.equal((await slow).body, 'slow')
  await shutdown.closing
  await until('the connections to backends are closed', () => backend.sockets.size === 0)
})

test('a client that is slow with a small body holds nothing up when the time is over', async (t) => {
  const clock = new ManualClock()
  const { port, balancer, backend, close } = await start(t, { clock, drainDeadline: 2000 })
  const client = await rawClient(t, port)
  client.send('POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\nbegun')
  await until('it is waited for', () => balancer.exchanges === 1)
  const shutdown = await close()
  clock.advance(1999)
  assert.deepEqual([balancer.exchanges, shutdown.closed], [1, false])
  clock.advance(1)
  const answer = await client.until(/\r\n\r\n/)
  assert.match(answer, /^HTTP\/1\.1 503 [^]*x-balancer-failure: drain-deadline/i)
  await shutdown.closing
  assert.deepEqual([balancer.exchanges, backend.received.length], [0, 0])
})

test('a client that goes on sending after it was told to stop does not keep a closing app open', async (t) => {
  const clock = new ManualClock()
  const { port, balancer, close } = await start(t, { clock, drainDeadline: 2000 })
  const client = await rawClient(t, port)
  client.socket.allowHalfOpen = true
  client.send('POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\nbegun')
  await until('it is waited for', () => balancer.exchanges === 1)
  const trickle = setInterval(() => client.send('x'), 100)
  t.after(() => clearInterval(trickle))
  const shutdown = await close()
  clock.advance(2000)
  const since = performance.now()
  await shutdown.closing
  // It would be listened to for 30 s otherwise.
  assert.ok(performance.now() - since < 20_000)
})

for (const begun of ['GET / HTTP/1.1\r\nhost: a\r\nx-', 'GE', 'GET /quick HTTP/1.1\r\nhost: a\r\n\r\nGET /quick HT']) {
  test(`a client that has sent only ${JSON.stringify(begun)} has until the deadline, and holds up a closing app no longer`, async (t) => {
    const clock = new ManualClock()
    const { app, port, close } = await start(t, { clock, drainDeadline: 2000 })
    const sockets: Socket[] = []
    app.server.on('connection', (socket: Socket) => sockets.push(socket))
    const client = await rawClient(t, port)
    client.send(begun)
    if (begun.includes('/quick')) await client.until(/quick/)
    const another = await rawClient(t, port)
    another.send('GET /quick HTTP/1.1\r\nhost: a\r\nconne')
    await until('both are read', () => sockets.length === 2 && sockets.every(({ bytesRead }) => bytesRead > 0))
    const shutdown = await close()
    clock.advance(1999)
    another.send('ction: x\r\n\r\n')
    assert.match(await another.closed(), /^HTTP\/1\.1 503 /)
    assert.deepEqual([shutdown.closed, client.socket.closed], [false, false])
    clock.advance(1)
    await shutdown.closing
    await client.closed()
  })
}

test('a client that has sent nothing holds up nothing', async (t) => {
  const clock = new ManualClock()
  const { app, port } = await start(t, { clock })
  const client = await rawClient(t, port)
  await until('the server has it', () => client.socket.readyState === 'open')
  await ask(`http://127.0.0.1:${port}/quick`)
  await app.close()
  await client.closed()
})

test('what the app serves itself, and connections that were upgraded, are not cut off at the deadline', async (t) => {
  const clock = new ManualClock()
  const answers: ((text: string) => void)[] = []
  const app = Fastify()
  app.get('/own', () => new Promise((resolve) => void answers.push(resolve)))
  app.server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    socket.pipe(socket)
  })
  await app.register(plugin, { prefix: '/b', backends: ['http://127.0.0.1:9'], clock, drainDeadline: 2000 })
  const { port } = await listenApp(t, app)
  const own = await rawClient(t, port)
  own.send('GET /own HTTP/1.1\r\nhost: a\r\n\r\n')
  const upgraded = await rawClient(t, port)
  upgraded.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
  await upgraded.until(/101/)
  await until('it is under way', () => answers.length === 1)
  const closing = app.close()
  await until('it waits for its connections', () => !app.server.listening && clock.pending > 0)
  clock.advance(60_000)
  upgraded.send('still there')
  await upgraded.until(/still there/)
  answers[0]!('its own')
  await own.until(/its own/)
  own.socket.end()
  upgraded.socket.end()
  await closing
})

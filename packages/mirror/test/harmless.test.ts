import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import type { Socket } from 'node:net'
import { ask } from '../../../test/support/ask.ts'
import { listen, startBackend, startRawBackend, unusedOrigin } from '../../../test/support/backend.ts'
import { localhost } from '../../../test/support/certificates.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { LogLines } from '../../../test/support/log-lines.ts'
import { until } from '../../../test/support/until.ts'
import type { CopyOutcome } from '../src/index.ts'
import { mirrored } from './stage.ts'

/** What a server does with a connection, once a request has arrived. */
type Misbehaviour = (socket: Socket) => void

const misbehaving = (t: TestContext, misbehave: Misbehaviour) =>
  startRawBackend(t, (socket) => void socket.once('data', () => misbehave(socket)))

const nonsense: Readonly<Record<string, readonly [Misbehaviour, CopyOutcome]>> = {
  'cuts the connection': [(socket) => socket.destroy(), 'reset'],
  'resets the connection': [(socket) => socket.resetAndDestroy(), 'reset'],
  'speaks another protocol': [(socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'), 'bad-response'],
  'sends a status that does not exist': [
    (socket) => socket.end('HTTP/1.1 999 Oh\r\nContent-Length: 0\r\n\r\n'),
    'bad-response',
  ],
  'sends headers without end': [
    (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'X-More: 1234567890\r\n'.repeat(5000)}`),
    'bad-response',
  ],
  'switches protocols unasked': [
    (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    'reset',
  ],
  'ends in the middle of its response': [
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    'reset',
  ],
  'sends a second response unasked': [
    (socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    '2xx',
  ],
}

for (const [what, [misbehave, outcome]] of Object.entries(nonsense))
  test(`a mirror that ${what} changes nothing for the original`, async (t) => {
    const { url, outcomes, idle } = await mirrored(t, { to: [await misbehaving(t, misbehave)] })
    for (let asked = 0; asked < 3; asked++) {
      const { status, body, whole } = await ask(url)
      assert.deepEqual([status, body, whole], [200, 'backend', true])
      await idle()
    }
    assert.deepEqual(outcomes(), { [outcome]: 3 })
  })

test('a mirror that refuses, that is not to be trusted, or has no name, changes nothing for the original', async (t) => {
  const secure = createTlsServer(localhost)
  secure.on('tlsClientError', () => {})
  const { port } = new URL(await listen(secure))
  t.after(() => secure.close())
  const to = [await unusedOrigin(), `https://localhost:${port}`, `https://127.0.0.1:${port}`, 'http://mirror.invalid']
  const { url, outcomes, idle } = await mirrored(t, { to })
  assert.equal((await ask(url)).body, 'backend')
  await idle()
  assert.deepEqual([0, 1, 2, 3].map(outcomes), [
    { 'connect-refused': 1 },
    { 'tls-failed': 1 },
    { 'tls-failed': 1 },
    { 'dns-failed': 1 },
  ])
})

test('of an endless response no more than `maxResponse` is read, and its connection is closed', async (t) => {
  let sent = 0
  const flooding = await startBackend(t, (_request, response) => {
    const flood = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536
    }
    response.on('drain', flood)
    flood()
  })
  const { url, outcomes, idle } = await mirrored(t, { to: [flooding.url], maxResponse: 200_000 })
  assert.equal((await ask(url)).body, 'backend')
  await idle()
  assert.deepEqual(outcomes(), { 'too-large': 1 })
  await until('the connection is closed', () => flooding.sockets.size === 0)
  // What the kernel holds between the two, on top of what was read.
  assert.ok(sent < 200_000 + 16_777_216, `${sent} bytes were sent`)
})

test('a response of exactly `maxResponse` bytes keeps its connection', async (t) => {
  const copies = await startBackend(t, (_request, response) => response.end(Buffer.alloc(200_000)))
  const { url, outcomes, idle } = await mirrored(t, { to: [copies.url], maxResponse: 200_000 })
  for (let asked = 0; asked < 2; asked++) {
    await ask(url)
    await idle()
  }
  assert.deepEqual([outcomes(), copies.sockets.size], [{ '2xx': 2 }, 1])
})

test('a mirror that hangs holds up nobody: further copies are dropped, until a time limit ends those before', async (t) => {
  const clock = new ManualClock()
  const hanging = await startBackend(t, () => {})
  const given = { to: [hanging.url], maxInFlight: 2, timeouts: { request: 3000 } }
  const { url, view, outcomes, idle } = await mirrored(t, given, { clock })
  for (let asked = 0; asked < 5; asked++) assert.equal((await ask(url)).body, 'backend')
  await until('two copies have arrived', () => hanging.received.length === 2)
  assert.deepEqual([view().inFlight, view().sent, view().dropped], [2, 2, { body: 0, full: 3 }])
  clock.advance(2999)
  assert.equal(view().inFlight, 2)
  clock.advance(1)
  await idle()
  assert.deepEqual(outcomes(), { timeout: 2 })
  assert.equal((await ask(url)).body, 'backend')
  await until('there is room again', () => hanging.received.length === 3)
  assert.deepEqual(view().dropped, { body: 0, full: 3 })
})

test('one that hangs does not take the room of another', async (t) => {
  const hanging = await startBackend(t, () => {})
  const copies = await startBackend(t)
  const { app, url, view } = await mirrored(t, { to: [hanging.url, copies.url], maxInFlight: 1 })
  for (let asked = 0; asked < 3; asked++) {
    await ask(url)
    await until('the other is free again', () => app.mirror.views[1]!.inFlight === 0)
  }
  assert.deepEqual([view(0).dropped.full, view(1).dropped.full, copies.received.length], [2, 0, 3])
})

test('endless interim responses, and a response that trickles, are ended by the time limit', async (t) => {
  const clock = new ManualClock()
  const trickles = new Set<NodeJS.Timeout>()
  t.after(() => {
    for (const trickle of trickles) clearInterval(trickle)
  })
  const trickling = (head: string, again: string) =>
    misbehaving(t, (socket) => {
      socket.write(head)
      const trickle = setInterval(() => socket.write(again), 1)
      trickles.add(trickle)
      socket.on('close', () => clearInterval(trickle))
    })
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
  const to = [await trickling(hint, hint), await trickling('HTTP/1.1 200 OK\r\n\r\n', 'x')]
  const { url, outcomes, idle } = await mirrored(t, { to }, { clock })
  assert.equal((await ask(url)).body, 'backend')
  await until('both trickle', () => trickles.size === 2)
  clock.advance(10_000)
  await idle()
  assert.deepEqual([outcomes(0), outcomes(1)], [{ timeout: 1 }, { timeout: 1 }])
})

test('a mirror that does not read the body holds up nobody', async (t) => {
  const clock = new ManualClock()
  const deaf = await startRawBackend(t, () => {}, { pauseOnConnect: true })
  const given = { to: [deaf], methods: ['POST'] }
  const { url, outcomes, idle, view } = await mirrored(t, given, { clock })
  for (let asked = 0; asked < 3; asked++)
    assert.equal((await ask(url, { method: 'POST', body: Buffer.alloc(65_536) })).body, 'backend')
  await until('all are on their way', () => view().sent === 3)
  clock.advance(10_000)
  await idle()
  assert.deepEqual(outcomes(), { timeout: 3 })
})

test('the app closes without waiting for copies, and aborts them', async (t) => {
  const hanging = await startBackend(t, () => {})
  const { app, url, view } = await mirrored(t, { to: [hanging.url] })
  const { mirror } = app
  await ask(url)
  await until('the copy has arrived', () => hanging.received.length === 1)
  const before = view()
  await app.close()
  assert.deepEqual([before.inFlight, mirror.views, app.balancer.hooks.onAttemptStart.length], [1, [], 0])
  await until('its connection is closed', () => hanging.sockets.size === 0)
})

test('health checks of backends and their counts know nothing of copies', async (t) => {
  const { app, url, idle } = await mirrored(t, { to: [await unusedOrigin()] })
  for (let asked = 0; asked < 5; asked++) await ask(url)
  await idle()
  const [backend] = app.balancer.backends
  assert.deepEqual([backend!.requests, backend!.outcomes, backend!.vetoes], [5, { ok: 5 }, []])
})

test('that copies fail is logged at once, and then once a minute', async (t) => {
  const clock = new ManualClock()
  const lines = new LogLines()
  const to = [await unusedOrigin()]
  const { url, idle } = await mirrored(t, { to }, { clock, name: 'shop' }, { logger: lines })
  const warnings = () => lines.all.filter(({ msg = '' }) => msg.startsWith('mirror '))
  for (const step of [0, 1, 59_999, 1]) {
    clock.advance(step)
    await ask(url)
    await idle()
  }
  assert.deepEqual(
    warnings().map(({ level, balancer, mirror, failed, outcome, msg }) => [
      level,
      balancer,
      mirror,
      failed,
      outcome,
      msg,
    ]),
    [
      [
        40,
        'shop',
        to[0],
        1,
        'connect-refused',
        `mirror ${to[0]}: a copy failed, the last one with connect-refused; the originals are not affected`,
      ],
      [
        40,
        'shop',
        to[0],
        2,
        'connect-refused',
        `mirror ${to[0]}: 2 copies failed, the last one with connect-refused; the originals are not affected`,
      ],
    ],
  )
})

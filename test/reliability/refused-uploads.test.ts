import assert from 'node:assert/strict'
import { createServer as createSecureServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { startApp, type TestApp } from '../support/app.ts'
import { ask, type Answer } from '../support/ask.ts'
import { listen, startBackend, startRawBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'

/** How often each case is tried: what is lost in a race is lost now and then. */
const times = 10
/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 10_000

/** A client that sends `size` bytes in pieces, and does not stop for an answer. Answers what it has received. */
async function upload(t: TestContext, { port }: TestApp, size: number, framing: 'length' | 'chunks'): Promise<string> {
  const client = await rawClient(t, port)
  const fields = framing === 'length' ? `content-length: ${size}` : 'transfer-encoding: chunked'
  client.send(Buffer.from(`POST /upload HTTP/1.1\r\nhost: a.example\r\n${fields}\r\n\r\n`))
  const piece = 65_536
  for (let sent = 0; sent < size; sent += piece) {
    const bytes = Buffer.alloc(Math.min(piece, size - sent), 'x')
    if (framing === 'chunks') client.send(Buffer.from(`${bytes.length.toString(16)}\r\n`))
    client.send(bytes)
    if (framing === 'chunks') client.send(Buffer.from('\r\n'))
  }
  if (framing === 'chunks') client.send(Buffer.from('0\r\n\r\n'))
  await client.until(/refused(?:\r\n0\r\n\r\n)?$/)
  return client.received
}

async function assertNobodyBlamed({ app }: TestApp, count: number): Promise<void> {
  const { balancer } = app
  await until('nothing is in flight', () => balancer.backends.every(({ inFlight }) => inFlight === 0))
  assert.deepEqual(
    balancer.backends.map(({ outcomes }) => outcomes),
    balancer.backends.map(() => ({ ok: count })),
  )
}

const answers: Record<string, (response: ServerResponse) => void> = {
  '413 with connection: close': (response) =>
    void response.writeHead(413, { connection: 'close', 'content-length': 7 }).end('refused'),
  '413 in chunks': (response) => void response.writeHead(413, { connection: 'close' }).end('refused'),
  '401 with a challenge': (response) =>
    void response.writeHead(401, { connection: 'close', 'www-authenticate': 'Basic' }).end('refused'),
  '403': (response) => void response.writeHead(403, { connection: 'close' }).end('refused'),
  '503': (response) => void response.writeHead(503, { connection: 'close', 'retry-after': '1' }).end('refused'),
  '307 elsewhere': (response) => void response.writeHead(307, { connection: 'close', location: '/b' }).end('refused'),
}

/** Reads no further than the head, as `node:http` does if nobody reads the body, and closes. */
function refusing(answer: (response: ServerResponse) => void) {
  return (_: IncomingMessage, response: ServerResponse) => answer(response)
}

for (const lane of ['raw', 'full'] as const) {
  describe(`a backend of node:http that refuses an upload and reads no further (${lane} lane)`, () => {
    for (const [name, answer] of Object.entries(answers)) {
      for (const framing of ['length', 'chunks'] as const) {
        test(`answers ${name}, to an upload by ${framing}`, { timeout }, async (t) => {
          const backend = await startBackend(t, refusing(answer))
          const front = await startApp(t, { backends: [backend.url], lane })
          for (let count = 0; count < times; count++) {
            // oxlint-disable-next-line no-await-in-loop -- one after the other
            const received = await upload(t, front, 600_000, framing)
            assert.ok(received.startsWith(`HTTP/1.1 ${name.slice(0, 3)} `), received)
          }
          await assertNobodyBlamed(front, times)
        })
      }
    }

    test('over TLS', { timeout }, async (t) => {
      const server = createSecureServer(localhost, refusing(answers['413 with connection: close']!))
      const origin = await listen(server)
      t.after(() => server.close().closeAllConnections())
      const front = await startApp(t, {
        backends: [origin.replace('http:', 'https:')],
        pool: { tls: { ca: localhost.cert } },
        lane,
      })
      for (let count = 0; count < times; count++) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const received = await upload(t, front, 600_000, 'length')
        assert.ok(received.startsWith('HTTP/1.1 413 '), received)
      }
      await assertNobodyBlamed(front, times)
    })
  })
}

const head = 'HTTP/1.1 413 Too Large\r\nconnection: close\r\n'
const long = 'y'.repeat(200_000)

/** What a backend on bare TCP does on seeing the head of a request; it never reads on. */
const refusals: Record<string, (socket: Socket) => void> = {
  'resets right after it': (socket) =>
    void socket.write(`${head}content-length: 7\r\n\r\nrefused`, () => socket.resetAndDestroy()),
  'closes right after it': (socket) =>
    void socket.write(`${head}content-length: 7\r\n\r\nrefused`, () => socket.destroy()),
  'does not say that it closes': (socket) =>
    void socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 7\r\n\r\nrefused', () => socket.destroy()),
  'answers in pieces': (socket) => {
    const pieces = ['HTTP/1.1 41', '3 Too Large\r\nconte', 'nt-length: 7\r\n', '\r\nref', 'used']
    const next = () => {
      const piece = pieces.shift()
      if (piece === undefined) socket.destroy()
      else socket.write(piece, () => setImmediate(next))
    }
    next()
  },
  'answers more than is read at once': (socket) =>
    void socket.end(`${head}content-length: ${long.length + 7}\r\n\r\n${long}refused`),
  'ends its body by closing': (socket) => void socket.write(`${head}\r\nrefused`, () => socket.destroy()),
  'ends its body by a reset': (socket) => void socket.write(`${head}\r\nrefused`, () => socket.resetAndDestroy()),
  'says 100 before': (socket) =>
    void socket.write(`HTTP/1.1 100 Continue\r\n\r\n${head}content-length: 7\r\n\r\nrefused`, () => socket.destroy()),
}

describe('a backend that refuses an upload on bare TCP', () => {
  for (const [name, refuse] of Object.entries(refusals)) {
    for (const size of [600_000, 60_000]) {
      test(`and ${name}: ${size} bytes`, { timeout }, async (t) => {
        const backend = await startRawBackend(t, (socket) => {
          // What has not left when it closes is lost.
          socket.setNoDelay(true)
          socket.once('data', () => {
            socket.pause()
            refuse(socket)
          })
        })
        const front = await startApp(t, { backends: [backend] })
        for (let count = 0; count < times; count++) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          const received = await upload(t, front, size, 'length')
          assert.ok(received.startsWith('HTTP/1.1 413 '), received.slice(0, 100))
        }
        await assertNobodyBlamed(front, times)
      })
    }
  }
})

test('a status that is to be retried is passed on where the body cannot be sent again', { timeout }, async (t) => {
  const backends = await Promise.all([1, 2].map(() => startBackend(t, refusing(answers['503']!))))
  const front = await startApp(t, {
    backends: backends.map(({ url }) => url),
    retry: { statuses: [503], methods: ['POST'] },
  })
  const received = await upload(t, front, 600_000, 'length')
  assert.ok(received.startsWith('HTTP/1.1 503 '), received)
  assert.equal(backends[0]!.received.length + backends[1]!.received.length, 1)
})

test('a small body is sent to another, where the status of the refusal is one to retry', { timeout }, async (t) => {
  const refusal = await startRawBackend(t, (socket) => {
    socket.once('data', () => {
      socket.pause().write('HTTP/1.1 503 X\r\ncontent-length: 7\r\n\r\nrefused', () => socket.resetAndDestroy())
    })
  })
  const other = await startBackend(t, (incoming, response) => void incoming.pipe(response))
  const { app, url } = await startApp(t, {
    backends: [refusal, other.url],
    retry: { statuses: [503], methods: ['POST'] },
  })
  const answer = await ask(url, { method: 'POST', body: 'z'.repeat(60_000) })
  assert.deepEqual([answer.status, answer.body.length], [200, 60_000])
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 1 })
})

test('an upload that breaks off without an answer is held against the backend', { timeout }, async (t) => {
  for (const lose of [(socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.destroy()]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await t.test(async (t) => {
      const backend = await startRawBackend(t, (socket) => void socket.once('data', () => lose(socket.pause())))
      const { app, url } = await startApp(t, { backends: [backend] })
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(65_536))
        },
      })
      const answer: Answer = await ask(url, { method: 'POST', body: endless })
      assert.equal(answer.status, 502)
      assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'reset-before-headers': 1 })
    })
  }
})

test('half an answer before the connection breaks is none', { timeout }, async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => {
      socket.pause().write(`${head}content-length: 700\r\n\r\nhalf`, () => socket.resetAndDestroy())
    })
  })
  const { app, port } = await startApp(t, { backends: [backend] })
  const client = await rawClient(t, port)
  client.send(Buffer.from('POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 900000\r\n\r\n'))
  client.send(Buffer.alloc(900_000))
  await client.closed()
  assert.match(client.received, /half$/)
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'body-truncated': 1 })
})

test('a response to GET that ends with its connection is not whole when that is reset', { timeout }, async (t) => {
  let answering: Socket | undefined
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => void socket.write('HTTP/1.1 200 OK\r\n\r\nhalf', () => (answering = socket)))
  })
  const { app, port } = await startApp(t, { backends: [backend] })
  const client = await rawClient(t, port)
  client.send('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n')
  // Read together with the last bytes, a reset looks like an end to Node 22.
  await client.until(/half/)
  answering!.resetAndDestroy()
  const received = await client.closed()
  assert.doesNotMatch(received, /\r\n0\r\n\r\n$/)
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'body-truncated': 1 })
})

test('the connection of an upload that was refused carries no other', { timeout }, async (t) => {
  let connections = 0
  const backend = await startRawBackend(t, (socket) => {
    connections++
    socket.on('data', (bytes: Buffer) => {
      if (bytes.toString().startsWith('GET')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      else socket.pause().write('HTTP/1.1 413 X\r\ncontent-length: 7\r\n\r\nrefused', () => socket.resetAndDestroy())
    })
  })
  const { app, url } = await startApp(t, { backends: [backend], pool: { connections: 1 } })
  for (const size of [100, 60_000, 600_000]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal((await ask(url, { method: 'POST', body: 'x'.repeat(size) })).status, 413)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    assert.equal((await ask(url)).body, 'ok')
  }
  assert.equal(connections, 4)
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 6 })
})

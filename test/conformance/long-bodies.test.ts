import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { createCipheriv, createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { createServer as createTlsServer, request as requestTls } from 'node:https'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { createGunzip, createGzip } from 'node:zlib'
import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import { listenApp, startApp } from '../support/app.ts'
import { listen, startBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { unchanged, until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { get, wireClient } from './wire-client.ts'

failOnCrash()

/** A machine that has much else to do is not at fault. */
const timeout = 240_000
const lanes = ['raw', 'full'] as const

/** Bytes that are those of no other number, nor of any other place: a block that went astray is seen. */
function bytesOf(number: number, length: number): Buffer {
  const key = createHash('sha256').update(String(number)).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Reads a body to its end; `pauses` are its reads before which the reader waits for a turn of the event loop or more. */
async function hashed(response: IncomingMessage, pauses: readonly number[] = []): Promise<string> {
  const hash: Hash = createHash('sha256')
  let read = 0
  for await (const chunk of response) {
    hash.update(chunk as Buffer)
    for (let turns = pauses[read++] ?? 0; turns > 0; turns--) await new Promise(setImmediate)
  }
  return hash.digest('hex')
}

async function ask(port: number, path: string, pauses?: readonly number[]): Promise<string> {
  const asked = request({ port, host: '127.0.0.1', path })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  assert.equal(Number(response.headers['content-length']), Number(/\d+$/.exec(path)![0]))
  return hashed(response, pauses)
}

/** A backend that answers `/<number>/<length>` with those bytes. */
function answer({ url }: { readonly url?: string | undefined }, response: { end(body: Buffer): unknown }): void {
  const [, number, length] = /^\/(\d+)\/(\d+)/.exec(url!)!
  response.end(bytesOf(Number(number), Number(length)))
}

for (const lane of lanes) {
  describe(`a long body of known length (${lane} lane)`, { timeout }, () => {
    test('arrives as it was sent, however it is cut, and so do others over the same connections', async (t) => {
      let cuts: readonly number[] = []
      const backend = await startWireBackend(t, ({ start }, { socket }) => void sendCut(socket, start, cuts))
      const { port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
      const cut = fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 6 })
      const length = fc.oneof(fc.integer({ min: 131_072, max: 300_000 }), fc.integer({ min: 0, max: 70_000 }))
      const pauses = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ cut, length, pauses }), { minLength: 1, maxLength: 4 }),
          async (bodies) => {
            for (const [number, body] of bodies.entries()) {
              cuts = body.cut
              assert.equal(
                await ask(port, `/${number}/${body.length}`, body.pauses),
                hashOf(bytesOf(number, body.length)),
              )
            }
          },
        ),
        { numRuns: 25 },
      )
      assert.equal(backend.connections.length, 1)
    })

    test('is not mixed with others that pass at the same time, of which some are read slowly', async (t) => {
      const backend = await startBackend(t, answer)
      const { port, app } = await startApp(t, { backends: [backend.url], lane })
      const lengths = [3_000_000, 200_000, 1_000_000, 131_072, 400, 5_000_000]
      const asked = Array.from({ length: 36 }, async (_, number) => {
        const length = lengths[number % lengths.length]!
        const pauses = number % 3 === 0 ? Array<number>(20).fill(20) : []
        assert.equal(await ask(port, `/${number}/${length}`, pauses), hashOf(bytesOf(number, length)), `${number}`)
      })
      await Promise.all(asked)
      const [only] = app.balancer.backends
      assert.deepEqual(only!.outcomes, { ok: 36 })
      assert.equal(only!.bytesReceived, 6 * lengths.reduce((sum, length) => sum + length, 0))
    })

    test('of which the client wants no more ends at the backend, and disturbs nobody', async (t) => {
      const backend = await startBackend(t, answer)
      const { port, app } = await startApp(t, { backends: [backend.url], lane })
      const leaving = Array.from({ length: 6 }, async (_, number) => {
        const asked = request({ port, host: '127.0.0.1', path: `/${number}/9000000` })
        asked.on('error', () => {})
        asked.end()
        const [response] = (await once(asked, 'response')) as [IncomingMessage]
        response.on('error', () => {})
        await once(response, 'data')
        asked.destroy()
      })
      const staying = Array.from({ length: 6 }, async (_, number) => {
        assert.equal(await ask(port, `/${100 + number}/2000000`), hashOf(bytesOf(100 + number, 2_000_000)))
      })
      await Promise.all([...leaving, ...staying])
      await until('nothing is in flight', () => app.balancer.backends[0]!.inFlight === 0)
      assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 6, 'client-gone': 6 })
    })

    test('is followed by nothing that the backend sends beyond it', async (t) => {
      const backend = await startWireBackend(t, ({ start }, connection) => {
        if (start.includes('/next')) connection.send(ok('next'))
        else connection.send(`${ok('y'.repeat(200_000))}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen`)
      })
      const { port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
      const client = await wireClient(t, port)
      client.send(get('/long') + get('/next'))
      assert.equal((await client.response()).body, 'y'.repeat(200_000))
      assert.equal((await client.response()).body, 'next')
      assert.doesNotMatch(client.received, /stolen/)
    })

    test('that is not wanted is given up, and the next backend answers', async (t) => {
      const busy = await startWireBackend(t, ok('z'.repeat(500_000)).replace('200 OK', '503 Service Unavailable'))
      const well = await startWireBackend(t, ok('well'))
      const { port } = await startApp(t, { backends: [busy.url, well.url], lane, retry: { statuses: [503] } })
      for (let turn = 0; turn < 4; turn++) {
        const client = await wireClient(t, port)
        client.send(get())
        assert.equal((await client.response()).body, 'well')
      }
    })

    test('that HEAD and 304 only speak of is not waited for', async (t) => {
      const fields = 'content-length: 5000000\r\n\r\n'
      const backend = await startWireBackend(t, ({ start }, connection) => {
        if (start.startsWith('HEAD')) connection.send(`HTTP/1.1 200 OK\r\n${fields}`)
        else connection.send(`HTTP/1.1 304 Not Modified\r\n${fields}`)
      })
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      for (let turn = 0; turn < 2; turn++) {
        client.send('HEAD / HTTP/1.1\r\nhost: a.example\r\n\r\n')
        const head = await client.response({ bodyless: true })
        assert.match(client.received, /content-length: 5000000/i)
        assert.equal(head.status, 200)
        client.send(get())
        assert.equal((await client.response({ bodyless: true })).status, 304)
      }
    })
  })
}

/** Sends the bytes asked for, in pieces that end where `cuts` say. */
async function sendCut(socket: Socket, start: string, cuts: readonly number[]): Promise<void> {
  const [, number, length] = /\/(\d+)\/(\d+) /.exec(start)!
  let rest = Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`),
    bytesOf(Number(number), Number(length)),
  ])
  for (const cut of cuts) {
    socket.write(rest.subarray(0, cut))
    rest = rest.subarray(cut)
    await new Promise(setImmediate)
  }
  socket.write(rest)
}

/** A Fastify app over a backend, to be listened with by the test. */
async function overTls(app: FastifyInstance, url: string): Promise<FastifyInstance> {
  await app.register(balancer, { backends: [url], pool: { tls: { ca: localhost.cert } } })
  return app
}

async function startTlsBackend(t: TestContext): Promise<string> {
  const server = createTlsServer(localhost, answer)
  t.after(() => (server.closeAllConnections(), server.close()))
  return (await listen(server)).replace('http:', 'https:').replace('127.0.0.1', 'localhost')
}

describe('a long body arrives whole, read fast or slowly', { timeout }, () => {
  const sizes = [131_072, 2_000_000]
  const slowly = Array<number>(30).fill(10)

  test('from a backend behind TLS', async (t) => {
    const { port } = await listenApp(t, await overTls(Fastify(), await startTlsBackend(t)))
    for (const length of sizes)
      for (const pauses of [[], slowly])
        assert.equal(await ask(port, `/7/${length}`, pauses), hashOf(bytesOf(7, length)))
  })

  test('to a client behind TLS', async (t) => {
    const backend = await startBackend(t, answer)
    const { port } = await listenApp(t, await overTls(Fastify({ https: localhost }) as never, backend.url))
    for (const length of sizes) {
      for (const pauses of [[], slowly]) {
        const asked = requestTls({ port, host: 'localhost', ca: localhost.cert, path: `/8/${length}` })
        asked.end()
        const [response] = (await once(asked, 'response')) as [IncomingMessage]
        assert.equal(await hashed(response, pauses), hashOf(bytesOf(8, length)))
      }
    }
  })

  test('to a client of HTTP/2', async (t) => {
    const backend = await startBackend(t, answer)
    const { port } = await listenApp(t, await overTls(Fastify({ http2: true }) as never, backend.url))
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    t.after(() => session.destroy())
    for (const length of sizes) {
      const stream = session.request({ ':path': `/9/${length}` })
      assert.equal(await hashed(stream as never, slowly), hashOf(bytesOf(9, length)))
    }
  })

  test('to a client of HTTP/1.0', async (t) => {
    const backend = await startBackend(t, answer)
    const { port } = await startApp(t, { backends: [backend.url] })
    const client = await wireClient(t, port)
    client.send('GET /3/200000 HTTP/1.0\r\n\r\n')
    const received = await client.closed()
    const body = Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4), 'latin1')
    assert.equal(hashOf(body), hashOf(bytesOf(3, 200_000)))
  })
})

describe('a long body arrives whole', { timeout }, () => {
  test('through middleware that keeps what is written to it', async (t) => {
    const backend = await startBackend(t, answer)
    const app = Fastify()
    // As middleware does it that compresses.
    app.addHook('onRequest', (_request, { raw }, done) => {
      const compressed = createGzip()
      const send = raw.write.bind(raw)
      const end = raw.end.bind(raw)
      raw.write = (chunk: Buffer) => compressed.write(chunk)
      raw.end = (chunk?: unknown) => (chunk === undefined ? compressed.end() : compressed.end(chunk as Buffer), raw)
      const { writeHead } = raw
      raw.writeHead = (status: number) => writeHead.call(raw, status, { 'content-encoding': 'gzip' })
      compressed.on('data', (chunk: Buffer) => void send(chunk)).on('end', () => void end())
      done()
    })
    await app.register(balancer, { backends: [backend.url], lane: 'raw' })
    const { port } = await listenApp(t, app)
    const asked = request({ port, host: '127.0.0.1', path: '/4/3000000' })
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const received = response.pipe(createGunzip())
    assert.equal(await hashed(received as never), hashOf(bytesOf(4, 3_000_000)))
  })

  test('over a stream that is no socket of the system', async (t) => {
    const backend = await startBackend(t, answer)
    const { app } = await startApp(t, { backends: [backend.url], lane: 'raw' })
    const kept: Buffer[] = []
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        kept.push(chunk)
        done()
      },
    })
    app.server.emit('connection', stream)
    stream.push('GET /5/3000000 HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n')
    await once(stream, 'finish')
    const received = Buffer.concat(kept)
    assert.equal(hashOf(received.subarray(received.indexOf('\r\n\r\n') + 4)), hashOf(bytesOf(5, 3_000_000)))
  })
})

test('a client that does not read holds the backend up, and fills no memory', { timeout }, async (t) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-length', 500_000_000)
    const piece = Buffer.alloc(1_000_000)
    const send = () => {
      while (response.write(piece));
    }
    response.on('drain', send)
    send()
  })
  t.after(() => (server.closeAllConnections(), server.close()))
  const { port, app } = await startApp(t, { backends: [await listen(server)] })
  const client = await wireClient(t, port)
  client.socket.pause()
  client.send(get())
  const [only] = app.balancer.backends
  await until(
    'the backend is held up',
    unchanged(() => only!.bytesReceived),
  )
  // What the kernel's buffers hold, and no more.
  assert.ok(only!.bytesReceived < 50_000_000, String(only!.bytesReceived))
  client.socket.destroy()
})

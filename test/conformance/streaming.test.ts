import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request as ask, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { exchange, get, wireClient } from './wire-client.ts'
import { valueOf, valuesOf } from './wire-message.ts'

failOnCrash()

const lanes = ['raw', 'full'] as const
const mebibyte = 1024 * 1024
/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000

for (const lane of lanes) {
  describe(`a response without a length (${lane} lane)`, () => {
    const kinds = {
      chunked: {
        head: 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
        event: (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`,
        end: (connection: WireConnection) => connection.send('0\r\n\r\n'),
      },
      'ended by closing': {
        head: 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n',
        event: (text: string) => text,
        end: (connection: WireConnection) => connection.socket.end(),
      },
      'of HTTP/1.0': {
        head: 'HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n',
        event: (text: string) => text,
        end: (connection: WireConnection) => connection.socket.end(),
      },
    }
    for (const [kind, { head, event, end }] of Object.entries(kinds)) {
      test(`is passed on as it comes, ${kind}`, { timeout }, async (t) => {
        let server: WireConnection | undefined
        const backend = await startWireBackend(t, (_request, connection) => {
          server = connection
          connection.send(head)
        })
        const { port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        client.send(get())
        // Each of these arrives before the backend has sent what follows it.
        assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream\r\n/)
        server!.send(event('data: 1\n\n'))
        await client.until('data: 1\n\n')
        server!.send(event('data: 2\n\n'))
        await client.until('data: 2\n\n')
        end(server!)
        const response = await client.response()
        assert.equal(response.framing, 'chunked')
        assert.equal(response.body, 'data: 1\n\ndata: 2\n\n')
        assert.equal(valueOf(response, 'connection'), 'keep-alive')
      })
    }

    test('goes to an HTTP/1.0 client unchunked, and ends by closing', { timeout }, async (t) => {
      let server: WireConnection | undefined
      const backend = await startWireBackend(t, (_request, connection) => {
        server = connection
        connection.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      })
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      client.send('GET / HTTP/1.0\r\n\r\n')
      await client.until('\r\n\r\n')
      server!.send('5\r\nfirst\r\n')
      await client.until('first')
      server!.send('6\r\nsecond\r\n0\r\n\r\n')
      await client.closed()
      const response = await client.response()
      assert.deepEqual(valuesOf(response, 'transfer-encoding'), [])
      assert.equal(response.framing, 'close')
      assert.equal(response.body, 'firstsecond')
    })
  })

  test(
    `a response with a length is passed on as it comes, once it has begun (${lane} lane)`,
    { timeout },
    async (t) => {
      let server: WireConnection | undefined
      const size = mebibyte
      const backend = await startWireBackend(t, (_request, connection) => {
        server = connection
        connection.send(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\nfirst`)
      })
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      client.send(get())
      await client.until('first')
      server!.send('second')
      await client.until('second')
      server!.send('x'.repeat(size - 'firstsecond'.length))
      assert.equal((await client.response()).body.length, size)
    },
  )

  test(`a request is passed on as it comes (${lane} lane)`, { timeout }, async (t) => {
    const heads: string[] = []
    const backend = await startWireBackend(t, ok(), { onHead: (head) => void heads.push(head) })
    const { port } = await startApp(t, { backends: [backend.url], lane })
    for (const [framing, parts] of Object.entries({
      // Small ones are waited for.
      [`content-length: ${5 + mebibyte}`]: ['first', 'x'.repeat(mebibyte)],
      'transfer-encoding: chunked': ['5\r\nfirst\r\n', '6\r\nsecond\r\n0\r\n\r\n'],
    })) {
      await t.test(framing, async (t) => {
        const client = await wireClient(t, port)
        const before = backend.received.length
        const arrives = async (text: string) => {
          while (!backend.received.slice(before).includes(text)) {
            const sockets = backend.connections.map(({ socket }) => socket)
            if (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
            else await Promise.race(sockets.map((socket) => once(socket, 'data')))
          }
        }
        client.send(`POST / HTTP/1.1\r\nhost: a.example\r\n${framing}\r\n\r\n${parts[0]}`)
        await arrives('first')
        client.send(parts[1]!)
        assert.equal((await client.response()).status, 200)
        assert.match(backend.requests.at(-1)!.body, /^first(?:second|x{1048576})$/)
      })
    }
  })
}

describe('bodies cross both ways untouched', () => {
  const sizes = [0, 1, 2, 255, 1023, 16_384, 65_535, 65_536, 65_537, 200_000, 3 * mebibyte + 1]

  interface Sent {
    readonly body: Buffer
    readonly chunked: boolean
    readonly method: string
  }

  /** Writes it in pieces of any size. */
  function writeInPieces(body: Buffer, to: { write(piece: Buffer): unknown; end(): unknown }): void {
    for (let position = 0; position < body.length;) {
      const size = randomInt(1, Math.max(2, Math.ceil(body.length / 3)))
      to.write(body.subarray(position, position + size))
      position += size
    }
    to.end()
  }

  async function echoed(agent: Agent, url: string, { body, chunked, method }: Sent): Promise<Buffer> {
    const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length }
    const request = ask(url, { method, agent, headers })
    const answered = once(request, 'response') as Promise<[IncomingMessage]>
    writeInPieces(body, request)
    const [response] = await answered
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  for (const lane of lanes) {
    for (const answerChunked of [false, true]) {
      test(`${lane} lane, answered ${answerChunked ? 'in chunks' : 'with a length'}`, async (t) => {
        const backend = await startBackend(t, async (request, response) => {
          const chunks: Buffer[] = []
          for await (const chunk of request) chunks.push(chunk as Buffer)
          const body = Buffer.concat(chunks)
          if (!answerChunked) response.setHeader('content-length', body.length)
          writeInPieces(body, response)
        })
        const { url } = await startApp(t, { backends: [backend.url], lane })
        const agent = new Agent({ keepAlive: true })
        t.after(() => agent.destroy())
        const cases = sizes.flatMap((size) =>
          [false, true].map((chunked) => ({
            body: randomBytes(size),
            chunked,
            method: chunked === answerChunked ? 'POST' : 'DELETE',
          })),
        )
        const bodies = await Promise.all(cases.map((sent) => echoed(agent, url, sent)))
        for (const [index, body] of bodies.entries()) {
          const { body: sent, chunked, method } = cases[index]!
          assert.ok(body.equals(sent), `${method} of ${sent.length} bytes${chunked ? ' in chunks' : ''}`)
        }
      })
    }
  }
})

describe('back-pressure', () => {
  const block = randomBytes(65_536)
  const total = 96 * mebibyte
  const digest = createHash('sha256')
  for (let sent = 0; sent < total; sent += block.length) digest.update(block)
  const expected = digest.digest('hex')
  /** What both kernels' buffers on both sides of the balancer can hold, and some. */
  const limit = 48 * mebibyte

  /** Writes the whole amount, as fast as it is taken. */
  function pour(socket: Socket): void {
    let left = total / block.length
    const write = () => {
      while (left > 0) {
        left--
        if (!socket.write(block)) {
          socket.once('drain', write)
          return
        }
      }
    }
    write()
  }

  /** What has been taken from it. */
  const poured = (socket: Socket) => socket.bytesWritten - socket.writableLength

  /** Waits until nothing has moved while requests enough went through: then nothing will. */
  async function stalled(t: TestContext, port: number, amount: () => number): Promise<number> {
    let before = -1
    for (let quiet = 0; quiet < 40; quiet++) {
      const now = amount()
      if (now !== before) quiet = 0
      before = now
      assert.equal((await exchange(t, port, get('/small'))).status, 200)
    }
    return before
  }

  /** Reads a message's body to its end, and hashes it. */
  function digestOf(socket: Socket, begun: string): Promise<string> {
    const hash = createHash('sha256')
    const headEnd = begun.indexOf('\r\n\r\n')
    let left = total
    const take = (chunk: Buffer) => {
      hash.update(chunk)
      left -= chunk.length
    }
    take(Buffer.from(begun.slice(headEnd + 4), 'latin1'))
    return new Promise((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => {
        take(chunk)
        if (left <= 0) resolve(hash.digest('hex'))
      })
      socket.on('close', () => reject(new Error(`closed with ${left} bytes left`)))
      socket.resume()
    })
  }

  /** Reads up to the end of the head, and then no more. */
  function readHead(socket: Socket): Promise<string> {
    return new Promise((resolve) => {
      let head = ''
      const onData = (chunk: Buffer) => {
        head += chunk.toString('latin1')
        if (!head.includes('\r\n\r\n')) return
        socket.off('data', onData)
        socket.pause()
        resolve(head)
      }
      socket.on('data', onData)
    })
  }

  for (const lane of lanes) {
    test(`a client that does not read holds up its backend, and nobody else (${lane} lane)`, async (t) => {
      let pouring: Socket | undefined
      const url = await startRawBackend(t, (socket) => {
        socket.on('data', (bytes) => {
          if (bytes.toString().startsWith('GET /small')) socket.write(ok())
          else {
            pouring = socket
            socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`)
            pour(socket)
          }
        })
      })
      const { app, port } = await startApp(t, { backends: [url], lane })
      const accepted = once(app.server, 'connection') as Promise<[Socket]>
      const client = connect(port, '127.0.0.1')
      t.after(() => client.destroy())
      client.write(get('/large'))
      const begun = await readHead(client)
      const [held] = await accepted
      const sent = await stalled(t, port, () => poured(pouring!))
      assert.ok(sent < limit, `${sent} bytes were taken from the backend`)
      assert.ok(held.writableLength < 4 * mebibyte, `${held.writableLength} bytes wait in the balancer`)
      assert.equal(await digestOf(client, begun), expected)
    })

    test(`a backend that does not read holds up its client, and nobody else (${lane} lane)`, async (t) => {
      let taking: { socket: Socket; head: string } | undefined
      const url = await startRawBackend(t, (socket) => {
        void readHead(socket).then(async (head) => {
          if (!head.startsWith('GET /small')) return (taking = { socket, head })
          socket.write(ok())
          socket.on('data', () => socket.write(ok()))
          return socket.resume()
        })
      })
      const { port } = await startApp(t, { backends: [url], lane })
      const client = connect(port, '127.0.0.1')
      t.after(() => client.destroy())
      client.write(`POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: ${total}\r\n\r\n`)
      pour(client)
      const sent = await stalled(t, port, () => poured(client))
      assert.ok(taking !== undefined)
      assert.ok(sent < limit, `${sent} bytes were taken from the client`)
      const answered = readHead(client)
      assert.equal(await digestOf(taking.socket, taking.head), expected)
      taking.socket.write(ok())
      assert.match(await answered, /^HTTP\/1\.1 200 OK\r\n/)
    })
  }
})

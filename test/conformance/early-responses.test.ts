import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { startRawBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireHooks } from './wire-backend.ts'
import { get, wireClient } from './wire-client.ts'
import { valueOf } from './wire-message.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000
const refusal = 'HTTP/1.1 413 X\r\nx-a: 1\r\ncontent-length: 8\r\n\r\ntoo much'
const size = 8 * 1024 * 1024

/** An upload of that size, of which this much is sent at first. */
const uploads = {
  'content-length': {
    begin: `POST /upload HTTP/1.1\r\nhost: a.example\r\ncontent-length: ${size}\r\n\r\npart`,
    rest: 'x'.repeat(size - 4),
  },
  chunks: {
    begin: 'POST /upload HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n',
    rest: `${(size - 4).toString(16)}\r\n${'x'.repeat(size - 4)}\r\n0\r\n\r\n`,
  },
}

/** Refuses every upload on seeing its head, and answers everything else. */
function refuseUploads(answer: string, then?: (socket: Socket) => void): WireHooks {
  return {
    onHead: (head, connection) => {
      if (!head.startsWith('POST')) return
      connection.send(answer)
      then?.(connection.socket)
    },
  }
}

async function start(t: TestContext, hooks: WireHooks, options: BalancerOptions = {}) {
  const backend = await startWireBackend(
    t,
    (request, connection) => {
      if (request.start.startsWith('GET')) connection.send(ok('after'))
    },
    hooks,
  )
  const { app, port } = await startApp(t, { backends: [backend.url], ...options })
  return { backend, port, balancer: app.balancer, only: app.balancer.backends[0]! }
}

for (const lane of ['raw', 'full'] as const) {
  describe(`a response that comes before the upload has ended (${lane} lane)`, () => {
    const answers = {
      'with content-length': refusal,
      'in chunks': refusal.replace(
        'content-length: 8\r\n\r\ntoo much',
        'transfer-encoding: chunked\r\n\r\n8\r\ntoo much\r\n0\r\n\r\n',
      ),
      'with connection: close': refusal.replace('x-a: 1', 'x-a: 1\r\nconnection: close'),
    }
    for (const [framing, { begin }] of Object.entries(uploads)) {
      for (const [name, answer] of Object.entries(answers)) {
        test(
          `reaches the client, and ends its connection: ${name}, to an upload by ${framing}`,
          { timeout },
          async (t) => {
            const { backend, port, only } = await start(t, refuseUploads(answer), { lane, pool: { connections: 1 } })
            const client = await wireClient(t, port)
            client.send(begin)
            const response = await client.response()
            assert.equal(response.status, 413)
            assert.equal(valueOf(response, 'x-a'), '1')
            assert.equal(valueOf(response, 'connection'), 'close')
            assert.equal(response.body, 'too much')
            assert.equal(await client.closed(), '')

            // Neither does the backend's connection carry another.
            const next = await wireClient(t, port)
            next.send(get('/after'))
            assert.equal((await next.response()).body, 'after')
            assert.equal(backend.connections.length, 2)
            assert.deepEqual(
              backend.requests.map(({ start: line }) => line),
              ['GET /after HTTP/1.1'],
            )
            await until('nothing is in flight', () => only.inFlight === 0)
          },
        )
      }

      test(`reaches a client that goes on sending, by ${framing}`, { timeout }, async (t) => {
        const { port, only } = await start(t, refuseUploads(refusal), { lane })
        const client = await wireClient(t, port)
        client.send(begin)
        client.send(uploads[framing as keyof typeof uploads].rest)
        const response = await client.response()
        assert.equal(response.status, 413)
        assert.equal(response.body, 'too much')
        await until('nothing is in flight', () => only.inFlight === 0)
      })

      test(`does not swallow the request behind the upload, by ${framing}`, { timeout }, async (t) => {
        const { backend, port, balancer } = await start(t, refuseUploads(refusal), { lane })
        const client = await wireClient(t, port)
        client.send(begin)
        const response = await client.response()
        assert.equal(valueOf(response, 'connection'), 'close')
        // Told so, the client knows that this will not be answered. It must not be taken for body, nor be run half-heard.
        client.send(uploads[framing as keyof typeof uploads].rest + get('/behind'))
        assert.equal(await client.closed(), '')
        await until('no exchange is left', () => balancer.exchanges === 0)
        assert.deepEqual(backend.requests, [])
        assert.doesNotMatch(backend.received, /behind/)
      })
    }

    test('and is long reaches the client whole', { timeout }, async (t) => {
      const body = 'y'.repeat(2 * 1024 * 1024)
      const { port } = await start(t, refuseUploads(ok(body)), { lane })
      const client = await wireClient(t, port)
      client.send(uploads.chunks.begin)
      const response = await client.response()
      assert.equal(valueOf(response, 'connection'), 'close')
      assert.ok(response.body === body)
    })

    test('and closes, or resets, is passed on all the same', { timeout }, async (t) => {
      const endings: Record<string, (socket: Socket) => void> = {
        closes: (socket) => void socket.end(),
        'closes, leaving the body unread': (socket) => void socket.pause().end(),
      }
      for (const [name, then] of Object.entries(endings)) {
        await t.test(name, async (t) => {
          const { port } = await start(t, refuseUploads(refusal, then), { lane })
          const client = await wireClient(t, port)
          client.send(uploads['content-length'].begin)
          const response = await client.response()
          assert.equal(response.status, 413)
          assert.equal(response.body, 'too much')
        })
      }
    })

    test('of which only the last bytes are missing when it comes keeps its order', { timeout }, async (t) => {
      const { backend, port, only } = await start(t, refuseUploads(refusal), { lane })
      const client = await wireClient(t, port)
      client.send(uploads.chunks.begin)
      assert.equal((await client.response()).status, 413)
      client.send(`0\r\n\r\n${get('/behind')}`)
      assert.equal(await client.closed(), '')
      await until('nothing is in flight', () => only.inFlight === 0)
      assert.deepEqual(
        backend.requests.map(({ start: line }) => line).filter((line) => line.includes('behind')),
        [],
      )
    })
  })

  test(`a whole upload does not end the client's connection (${lane} lane)`, { timeout }, async (t) => {
    const backend = await startWireBackend(t, ok())
    const { port } = await startApp(t, { backends: [backend.url], lane })
    const client = await wireClient(t, port)
    const body = 'x'.repeat(300_000)
    for (const message of [
      `content-length: ${body.length}\r\n\r\n${body}`,
      `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      'content-length: 0\r\n\r\n',
      'content-length: 2\r\n\r\nok',
      'transfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ]) {
      client.send(`POST / HTTP/1.1\r\nhost: a.example\r\n${message}`)
      assert.equal(valueOf(await client.response(), 'connection'), 'keep-alive')
    }
    assert.equal(backend.connections.length, 1)
  })
}

describe('a failure', () => {
  test('before the upload has ended is told, and ends the connection', { timeout }, async (t) => {
    const url = await startRawBackend(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))
    for (const [name, options, status] of [
      ['no backend', {}, 503],
      ['a reset by the backend', { backends: [url] }, 502],
    ] as const) {
      for (const [framing, { begin, rest }] of Object.entries(uploads)) {
        await t.test(`${name}, ${framing}`, async (t) => {
          const { app, port } = await startApp(t, options)
          const client = await wireClient(t, port)
          client.send(begin)
          const response = await client.response()
          assert.equal(response.status, status)
          assert.equal(valueOf(response, 'connection'), 'close')
          client.send(rest + get('/behind'))
          assert.equal(await client.closed(), '')
          await until('no exchange is left', () => app.balancer.exchanges === 0)
        })
      }
    }
  })

  test('of a request without a body does not end the connection', { timeout }, async (t) => {
    const reset = await startRawBackend(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))
    for (const [name, options, status] of [
      ['no backend', {}, 503],
      ['a reset by the backend', { backends: [reset] }, 502],
    ] as const) {
      for (const request of [get(), 'POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\n\r\n']) {
        await t.test(`${name}, ${request.slice(0, 4)}`, async (t) => {
          const { port } = await startApp(t, options)
          const client = await wireClient(t, port)
          // A fleet of clients that all connect anew is the last thing that an overload needs.
          for (let count = 0; count < 2; count++) {
            client.send(request)
            const response = await client.response()
            assert.equal(response.status, status)
            assert.equal(valueOf(response, 'connection'), 'keep-alive')
          }
        })
      }
    }
  })
})

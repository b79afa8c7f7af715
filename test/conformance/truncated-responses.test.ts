import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { exchange, get, wireClient } from './wire-client.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000

const heads = {
  'a length': 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n',
  'a long length': 'HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n',
  'a short length': 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n',
  chunks: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
}

/** How far it came, by framing. */
const parts: Record<keyof typeof heads, Record<string, string>> = {
  'a length': {
    'nothing of the body': '',
    'a part of the body': 'part'.repeat(1000),
    'all but a byte': 'x'.repeat(99_999),
  },
  'a long length': {
    'nothing of the body': '',
    'a part of the body': 'part'.repeat(10_000),
    'all but a byte': 'x'.repeat(199_999),
  },
  'a short length': { 'nothing of the body': '', 'a part of the body': 'part', 'all but a byte': 'x'.repeat(99) },
  chunks: {
    'nothing of the body': '',
    'a whole chunk': '4\r\npart\r\n',
    'a part of a chunk': '8\r\npart',
    'half a chunk size': '4\r\npart\r\n1',
    'all but the last line': '4\r\npart\r\n0\r\n',
    'half a trailer': '4\r\npart\r\n0\r\nx-t: 1',
  },
}

const breaks: Record<string, (socket: Socket) => void> = {
  closed: (socket) => void socket.end(),
  reset: (socket) => void socket.resetAndDestroy(),
}

interface Broken {
  readonly head: string
  readonly part: string
  /** The head has arrived before the rest. */
  readonly slowly: boolean
  readonly lose: (socket: Socket) => void
}

/** Starts a backend that breaks off its first response, and answers what comes after. */
async function startBroken(t: TestContext, { head, part, slowly, lose }: Broken, options: BalancerOptions) {
  const respond = (connection: WireConnection) => {
    if (part === '') lose(connection.socket)
    else connection.socket.write(part, 'latin1', () => lose(connection.socket))
  }
  const backend = await startWireBackend(t, (request, connection) => {
    if (!request.start.includes('/broken')) return connection.send(ok('after'))
    connection.send(head)
    return slowly ? undefined : respond(connection)
  })
  const { app, port } = await startApp(t, { backends: [backend.url], pool: { connections: 1 }, ...options })
  const responded = new Promise<void>((resolve) => {
    app.balancer.addHook('onAttemptResponse', () => setImmediate(resolve))
  })
  return {
    backend,
    port,
    only: app.balancer.backends[0]!,
    /** Goes on with the part, once the balancer has got the head. */
    async goOn() {
      if (!slowly) return
      await responded
      respond(backend.connections.at(-1)!)
    },
  }
}

for (const lane of ['raw', 'full'] as const) {
  describe(`a response that breaks off is broken at the client as well (${lane} lane)`, () => {
    for (const [framing, head] of Object.entries(heads)) {
      for (const [extent, part] of Object.entries(parts[framing as keyof typeof heads])) {
        for (const [ending, lose] of Object.entries(breaks)) {
          for (const slowly of [false, true]) {
            const name = `${framing}, ${extent}, ${ending}${slowly ? ' some time after its head' : ''}`
            test(name, { timeout }, async (t) => {
              const broken = { head, part, slowly, lose }
              const { backend, port, only, goOn } = await startBroken(t, broken, { lane })
              const client = await wireClient(t, port)
              client.send(get('/broken') + get('/behind'))
              await goOn()
              const response = await client.response().catch((error: Error) => error)
              if (response instanceof Error) {
                assert.match(response.message, /closed in the midst of a response/)
                assert.doesNotMatch(client.received, /after/)
              } else {
                // Nothing of it had been sent, so the client could be told.
                assert.equal(response.status, 502)
                assert.match(response.body, /FST_BALANCER_(?:BODY_TRUNCATED|RESET_BEFORE_HEADERS)/)
              }

              await until('nothing is in flight', () => only.inFlight === 0)
              assert.equal((await exchange(t, port, get('/next'))).body, 'after')
              // It had begun, so it was not asked for again.
              assert.equal(backend.requests.filter(({ start }) => start.includes('/broken')).length, 1)
            })
          }
        }
      }
    }

    const spoiled = {
      'a chunk size that is none': 'xyz\r\n',
      'a chunk size below zero': '-4\r\npart\r\n',
      'a chunk size beyond 64 bits': 'fffffffffffffffff\r\npart',
      'a chunk that runs on': '4\r\npart and more\r\n',
      'a bare line feed': '4\npart\n',
      'another response': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
      'a control character in a trailer': '4\r\npart\r\n0\r\nx-t: \x01\r\n\r\n',
      'a content-length among the trailers': '4\r\npart\r\n0\r\ncontent-length: 5\r\n\r\n',
    }
    for (const [name, part] of Object.entries(spoiled)) {
      test(`spoiled by ${name}`, { timeout }, async (t) => {
        const broken = { head: `${heads.chunks}5\r\nfirst\r\n`, part, slowly: true, lose: () => {} }
        const { port, only, goOn } = await startBroken(t, broken, { lane })
        const client = await wireClient(t, port)
        client.send(get('/broken'))
        await client.until('first')
        await goOn()
        await assert.rejects(client.response(), /closed in the midst of a response/)
        await until('nothing is in flight', () => only.inFlight === 0)
        assert.equal((await exchange(t, port, get('/next'))).body, 'after')
      })
    }

    test('is not made good by another backend', { timeout }, async (t) => {
      const first = await startWireBackend(t, `${heads.chunks}5\r\nfirst\r\n`)
      const second = await startWireBackend(t)
      const { app, port } = await startApp(t, { backends: [first.url, second.url], lane })
      const client = await wireClient(t, port)
      client.send(get())
      await client.until('first')
      first.connections[0]!.send('xyz\r\n')
      await assert.rejects(client.response(), /closed in the midst of a response/)
      await until('no exchange is left', () => app.balancer.exchanges === 0)
      assert.equal(first.requests.length, 1)
      assert.equal(second.connections.length, 0)
    })

    test('that stops coming', { timeout }, async (t) => {
      for (const [framing, part] of [
        ['a length', 'part'],
        ['chunks', '4\r\npart\r\n'],
      ] as const) {
        await t.test(framing, async (t) => {
          const broken = { head: heads[framing] + part, part: '', slowly: true, lose: () => {} }
          const { port, only } = await startBroken(t, broken, { lane, timeouts: { idle: 50 } })
          const client = await wireClient(t, port)
          client.send(get('/broken'))
          if (framing === 'chunks' || lane === 'raw') await client.until('part')
          await assert.rejects(client.response(), /closed in the midst of a response/)
          await until('nothing is in flight', () => only.inFlight === 0)
          assert.deepEqual(only.outcomes, { 'body-timeout': 1 })
        })
      }
    })

    test('of HTTP/1.0, which sees nothing but a reset', { timeout }, async (t) => {
      const broken = { head: `${heads.chunks}5\r\nfirst\r\n`, part: '', slowly: true, lose: breaks.closed! }
      const { port, goOn } = await startBroken(t, broken, { lane })
      const client = await wireClient(t, port)
      const errors: string[] = []
      client.socket.on('error', (error: NodeJS.ErrnoException) => void errors.push(error.code!))
      client.send('GET /broken HTTP/1.0\r\n\r\n')
      await client.until('first')
      await goOn()
      await client.closed()
      // To be closed upon is how it would have learnt of the end.
      assert.deepEqual(errors, ['ECONNRESET'])
    })
  })
}

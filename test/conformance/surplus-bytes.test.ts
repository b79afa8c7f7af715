import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Attempt, BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { exchange, get, post, wireClient } from './wire-client.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000
/** Looks like a response, and is somebody else's. */
const stray = ok('somebody else')

/** How a backend sends what it should not: in one write, in two, or a little later. */
const deliveries: Record<string, (connection: WireConnection, answer: string, surplus: string) => void> = {
  'in one write': (connection, answer, surplus) => connection.send(answer + surplus),
  'in two writes': (connection, answer, surplus) => {
    connection.send(answer)
    connection.send(surplus)
  },
  'some turns later': (connection, answer, surplus) => {
    let turns = 6
    const turn = () => void (turns-- > 0 ? setImmediate(turn) : connection.send(surplus))
    connection.socket.write(answer, 'latin1', turn)
  },
}

/** Requests whose answer has no body, and what such a backend sends. */
const bodiless: Record<string, { request: string; answer: string; isHead?: boolean }> = {
  'HEAD with content-length': {
    request: get('/odd').replace('GET', 'HEAD'),
    answer: `HTTP/1.1 200 OK\r\ncontent-length: ${stray.length}\r\n\r\n`,
    isHead: true,
  },
  'HEAD in chunks': {
    request: get('/odd').replace('GET', 'HEAD'),
    answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
    isHead: true,
  },
  'HEAD without framing': {
    request: get('/odd').replace('GET', 'HEAD'),
    answer: 'HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\n',
    isHead: true,
  },
  'GET with 204': { request: get('/odd'), answer: 'HTTP/1.1 204 No Content\r\n\r\n' },
  'GET with 304': { request: get('/odd'), answer: 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n' },
}

/** The body that must not be there: what looks like a response, and what does not. */
const surpluses = { 'a response': stray, text: 'Hello, world!', 'an empty line': '\r\n' }

async function start(t: TestContext, odd: (connection: WireConnection) => void, options: BalancerOptions = {}) {
  const backend = await startWireBackend(t, (request, connection) => {
    if (request.start.includes('/odd')) odd(connection)
    else connection.send(ok(`own ${request.body}`))
  })
  const { app, port } = await startApp(t, { backends: [backend.url], ...options })
  return { backend, port, balancer: app.balancer, only: app.balancer.backends[0]! }
}

/** How many requests came over the connections that had carried an odd one before. */
function reused(connections: readonly WireConnection[]): number {
  const odd = connections.filter(({ received }) => received.includes('/odd'))
  return odd.reduce((sum, { received }) => sum + received.split(/\/odd/).at(-1)!.split('HTTP/1.1').length - 2, 0)
}

for (const lane of ['raw', 'full'] as const) {
  describe(`a body where there must be none (${lane} lane)`, () => {
    for (const [name, { request, answer, isHead = false }] of Object.entries(bodiless)) {
      for (const [delivery, deliver] of Object.entries(deliveries)) {
        for (const [what, surplus] of Object.entries(surpluses)) {
          test(`reaches nobody, nor harms who comes next: ${name}, ${what} ${delivery}`, { timeout }, async (t) => {
            const { port, only } = await start(t, (connection) => deliver(connection, answer, surplus), { lane })
            const client = await wireClient(t, port)
            for (let count = 0; count < 8; count++) {
              client.send(request)
              assert.equal((await client.response({ bodyless: isHead })).body, '')
              client.send(post(`${count}`))
              assert.equal((await client.response()).body, `own ${count}`)
            }
            assert.deepEqual(only.outcomes, { ok: 16 })
          })
        }
      }
    }

    for (const [name, { request, answer, isHead = false }] of Object.entries(bodiless)) {
      for (const pieces of isHead ? [1, 3] : []) {
        test(`reaches nobody 200 ms later, in ${pieces} pieces: ${name}`, { timeout }, async (t) => {
          let sent = 0
          const { port } = await start(
            t,
            (connection) => {
              connection.send(answer)
              const length = Math.ceil(stray.length / pieces)
              for (let piece = 0; piece < pieces; piece++) {
                const bytes = stray.slice(piece * length, (piece + 1) * length)
                setTimeout(
                  () => {
                    sent++
                    connection.send(bytes)
                  },
                  200 + piece * 20,
                )
              }
            },
            { lane },
          )
          const odd = await wireClient(t, port)
          odd.send(request)
          assert.equal((await odd.response({ bodyless: isHead })).body, '')
          const other = await wireClient(t, port)
          for (let count = 0; sent < pieces || count < 20; count++) {
            other.send(post(`${count}`))
            assert.equal((await other.response()).body, `own ${count}`)
          }
        })
      }
    }

    test('is waited for once, then HEAD closes its connection', { timeout }, async (t) => {
      const { backend, port } = await start(
        t,
        (connection) => connection.send(`HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n${stray}`),
        {
          lane,
        },
      )
      const client = await wireClient(t, port)
      for (let count = 0; count < 4; count++) {
        client.send(get('/odd').replace('GET', 'HEAD'))
        await client.response({ bodyless: true })
      }
      assert.equal(backend.connections.length, 4)
      assert.match(backend.connections.at(-1)!.received, /\r\nconnection: close\r\n/)
    })
  })

  test(`who sends no body with HEAD, 204 and 304 keeps its connection (${lane} lane)`, { timeout }, async (t) => {
    for (const [name, { request, answer, isHead = false }] of Object.entries(bodiless)) {
      // Without framing, undici closes the connection in any case.
      if (name === 'HEAD without framing') continue
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await t.test(name, async (t) => {
        const { backend, port } = await start(t, (connection) => connection.send(answer), { lane })
        const client = await wireClient(t, port)
        const hasReused = () => backend.connections.some(({ received }) => received.split('/odd').length > 2)
        while (!hasReused()) {
          client.send(request)
          await client.response({ bodyless: isHead })
        }
        const { length } = backend.connections
        client.send(post('last'))
        assert.equal((await client.response()).body, 'own last')
        assert.equal(backend.connections.length, length)
      })
    }
  })
}

describe('what nobody has asked for', () => {
  const odds: Record<string, (connection: WireConnection) => void> = {
    'more than content-length says': (connection) =>
      connection.send(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${stray}`),
    'after the last chunk': (connection) =>
      connection.send(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${stray}`),
    'a second response': (connection) => connection.send(ok() + stray),
    'an interim response behind': (connection) => connection.send(`${ok()}HTTP/1.1 103 Early Hints\r\n\r\n`),
    'an empty line behind': (connection) => connection.send(`${ok()}\r\n`),
  }
  for (const [name, odd] of Object.entries(odds)) {
    test(`ends the connection, and is given to nobody: ${name}`, { timeout }, async (t) => {
      const { backend, port, only } = await start(t, odd)
      const client = await wireClient(t, port)
      for (let count = 0; count < 8; count++) {
        client.send(get('/odd'))
        assert.equal((await client.response()).body, 'ok')
        client.send(post(`${count}`))
        assert.equal((await client.response()).body, `own ${count}`)
      }
      assert.deepEqual(only.outcomes, { ok: 16 })
      if (name !== 'an empty line behind') assert.equal(reused(backend.connections), 0)
    })
  }

  test('ends a connection that is idle', { timeout }, async (t) => {
    const { backend, port } = await start(t, (connection) => connection.send(ok()))
    await exchange(t, port, get('/odd'))
    const { socket } = backend.connections[0]!
    socket.write(stray)
    await until('it is closed', () => socket.closed)
    assert.equal((await exchange(t, port, post('next'))).body, 'own next')
    assert.equal(backend.connections.length, 2)
  })

  test('is not the answer to an upload of which nothing was written yet', { timeout }, async (t) => {
    const { backend, port, balancer } = await start(t, (connection) => connection.send(ok()))
    await exchange(t, port, get('/odd'))
    const [first] = backend.connections
    const attempts: Attempt[] = []
    balancer.addHook('onAttemptStart', (attempt) => void attempts.push(attempt))
    const client = await wireClient(t, port)
    client.send('POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n')
    // It has the connection, and waits for the first of its body.
    await until('it is under way', () => attempts[0]?.started === true)
    first!.socket.write(stray)
    await until('it is closed', () => first!.socket.closed)
    client.send('2\r\nhi\r\n0\r\n\r\n')
    assert.doesNotMatch((await client.response()).body, /somebody else/)
  })

  test('sixty POSTs between as many HEADs of eight clients get their own', { timeout }, async (t) => {
    const { port, only } = await start(t, (connection) =>
      deliveries['some turns later']!(connection, `HTTP/1.1 200 OK\r\ncontent-length: ${stray.length}\r\n\r\n`, stray),
    )
    const clients = await Promise.all(Array.from({ length: 8 }, () => wireClient(t, port)))
    const bodies = await Promise.all(
      clients.map(async (client, index) => {
        const all: string[] = []
        for (let count = 0; count < 8; count++) {
          client.send(get('/odd').replace('GET', 'HEAD'))
          await client.response({ bodyless: true })
          client.send(post(`${index}-${count}`))
          all.push((await client.response()).body)
        }
        return all
      }),
    )
    assert.deepEqual(
      bodies,
      clients.map((_, index) => Array.from({ length: 8 }, (__, count) => `own ${index}-${count}`)),
    )
    assert.deepEqual(only.outcomes, { ok: 128 })
  })
})

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { startRawBackend, unusedOrigin } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { exchange, get, wireClient } from './wire-client.ts'
import { valueOf, valuesOf } from './wire-message.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000

for (const lane of ['raw', 'full'] as const) {
  describe(`103 Early Hints (${lane} lane)`, () => {
    const hints = (...links: string[]) =>
      `HTTP/1.1 103 Early Hints\r\n${links.map((link) => `link: ${link}\r\n`).join('')}x-a: 1\r\n\r\n`

    const passed: Record<string, string[]> = {
      'one link': ['</a.css>; rel=preload; as=style'],
      'several fields': ['</a.css>; rel=preload', '</b.js>; rel=preload; as=script'],
      'several links in one field': ['</a.css>; rel=preload, </b.js>; rel=preload; as=script'],
      'a comma in the address': ['</a,b.css>; rel=preload'],
      'another server': ['<https://b.example/a?b=c&d>; rel=preconnect; crossorigin'],
    }
    for (const [name, links] of Object.entries(passed)) {
      test(`pass before the response: ${name}`, { timeout }, async (t) => {
        let waiting: WireConnection | undefined
        const backend = await startWireBackend(t, (_, connection) => {
          waiting = connection
          connection.send(hints(...links))
        })
        const { port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        client.send(get())
        const early = await client.response()
        assert.equal(early.status, 103)
        assert.equal(valuesOf(early, 'link').join(', '), links.join(', '))
        waiting!.send(ok())
        const response = await client.response()
        assert.equal(response.status, 200)
        assert.equal(response.body, 'ok')
      })
    }

    const harmless: Record<string, string[]> = {
      'no link': [],
      'nothing in the link': [''],
      'a link that is none': ['garbage'],
      'a link without an end': ['</a'],
      'a parameter that Node does not write': ['</a>; rel="preload stylesheet"; title="a, b; c"'],
      'latin1 in the link': ['</caf\xe9>; rel=preload'],
      'a link of 10 000 characters': [`</${'x'.repeat(10_000)}>; rel=preload`],
    }
    for (const [name, links] of Object.entries(harmless)) {
      test(`do the response no harm: ${name}`, { timeout }, async (t) => {
        const backend = await startWireBackend(t, hints(...links) + ok())
        const { port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        client.send(get())
        let response = await client.response()
        if (response.status === 103) response = await client.response()
        assert.equal(response.status, 200)
        assert.equal(response.body, 'ok')
      })
    }

    test('may come several times, and after other informational responses', { timeout }, async (t) => {
      const processing = 'HTTP/1.1 102 Processing\r\n\r\n'
      const backend = await startWireBackend(
        t,
        processing + hints('</a>; rel=x') + processing + hints('</b>; rel=x') + ok(),
      )
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      client.send(get())
      const links: (string | undefined)[] = []
      let response = await client.response()
      for (; response.status < 200; response = await client.response()) {
        if (response.status === 103) links.push(valueOf(response, 'link'))
      }
      assert.deepEqual(links, ['</a>; rel=x', '</b>; rel=x'])
      assert.equal(response.body, 'ok')
    })

    test('do not reach an HTTP/1.0 client, who would take them for the response', { timeout }, async (t) => {
      const backend = await startWireBackend(t, hints('</a>; rel=preload') + ok())
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const response = await exchange(t, port, 'GET / HTTP/1.0\r\n\r\n')
      assert.equal(response.status, 200)
      assert.equal(response.body, 'ok')
    })

    test('do not stand in the way of another attempt', { timeout }, async (t) => {
      const first = await startWireBackend(t, (_, connection) => {
        connection.send(hints('</a>; rel=preload'))
        connection.socket.end()
      })
      const second = await startWireBackend(t, ok('second'))
      const { port } = await startApp(t, { backends: [first.url, second.url], lane })
      const client = await wireClient(t, port)
      client.send(get())
      let response = await client.response()
      if (response.status === 103) response = await client.response()
      assert.equal(response.body, 'second')
    })
  })

  test(`a flood of informational responses is borne (${lane} lane)`, { timeout }, async (t) => {
    for (const head of ['102 Processing\r\n', '103 Early Hints\r\nlink: </a>; rel=preload\r\n', '199 X\r\n']) {
      await t.test(head.slice(0, 3), async (t) => {
        const backend = await startWireBackend(t, `HTTP/1.1 ${head}\r\n`.repeat(2000) + ok())
        const { app, port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        client.send(get())
        assert.match(await client.until('\r\n\r\nok'), /HTTP\/1\.1 200 OK\r\n(?:[\w-]+: [^\r]+\r\n)+\r\nok$/)
        await until('nothing is in flight', () => app.balancer.backends[0]!.inFlight === 0)
      })
    }
  })
}

/** Sends hints as fast as they are taken, for ever. */
async function startEndless(t: TestContext, link: string): Promise<{ readonly url: string; readonly sent: number }> {
  const hints = Buffer.from(`HTTP/1.1 103 Early Hints\r\nlink: ${link}\r\n\r\n`.repeat(100))
  let sent = 0
  const url = await startRawBackend(t, (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(hints)) sent += hints.length
    }
    socket.once('data', more)
    socket.on('drain', () => {
      sent += hints.length
      more()
    })
  })
  return {
    url,
    get sent() {
      return sent
    },
  }
}

for (const reads of [true, false]) {
  describe(`informational responses without end, to a client that ${reads ? 'reads' : 'does not read'}`, () => {
    for (const link of ['</a>; rel=preload', `</${'x'.repeat(8000)}>; rel=preload`]) {
      test(`are given up: ${link.length} bytes each`, async (t) => {
        const backend = await startEndless(t, link)
        const { app, port } = await startApp(t, { backends: [backend.url], retry: { attempts: 0 } })
        const client = await wireClient(t, port)
        if (!reads) client.socket.pause()
        client.send(get())
        const [only] = app.balancer.backends
        await until('it has failed', () => only!.outcomes['bad-response'] === 1)
        assert.equal(only!.inFlight, 0)
        client.socket.resume()
        let response = await client.response()
        while (response.status === 103) response = await client.response()
        assert.equal(response.status, 502)
        assert.ok(client.received.length < 300_000, `${client.received.length} bytes were passed on`)
      })
    }
  })
}

test('a client that takes no hints has stalled', async (t) => {
  const clock = new ManualClock()
  let waiting: WireConnection | undefined
  const backend = await startWireBackend(t, (_request, connection) => {
    waiting = connection
    connection.send(`HTTP/1.1 103 Early Hints\r\nlink: </${'x'.repeat(2000)}>\r\n\r\n`.repeat(50))
  })
  const timeouts = { idle: 10_000, headers: 0 }
  const { app, port } = await startApp(t, { backends: [backend.url], clock, timeouts })
  // What the system buffers for a client is more than is ever passed on.
  app.server.on('connection', (socket: Socket) => {
    socket._write = () => {}
    delete socket._writev
  })
  const outcomes: unknown[] = []
  app.balancer.addHook('onAttemptEnd', ({ outcome }) => void outcomes.push(outcome))
  const client = await wireClient(t, port)
  client.send(get())
  await until('it was sent hints', () => waiting !== undefined && clock.pending > 1)
  clock.advance(9999)
  assert.deepEqual(outcomes, [])
  clock.advance(1)
  assert.deepEqual(outcomes, ['client-stalled'])
  assert.equal(await client.closed(), '')
  await until('nothing is left of it', () => app.balancer.exchanges === 0)
})

/** A request that waits to be told to continue before it sends `body`. */
const waits = (method = 'POST', length = 4, ...fields: string[]) =>
  [
    `${method} / HTTP/1.1`,
    'host: a.example',
    `content-length: ${length}`,
    'expect: 100-continue',
    ...fields,
    '',
    '',
  ].join('\r\n')

// At once: most of them wait for the second that a silent backend is given.
describe('a client that waits to be told to continue', { concurrency: true }, () => {
  for (const lane of ['raw', 'full'] as const) {
    test(`is told once a connection has been obtained, and only then (${lane} lane)`, { timeout }, async (t) => {
      let holding: WireConnection | undefined
      const backend = await startWireBackend(t, (request, connection) => {
        if (request.body === 'hold') holding = connection
        else connection.send(ok(request.body))
      })
      const options = { lane, pool: { connections: 1 }, timeouts: { queue: 0, continue: 0 } }
      const { app, port } = await startApp(t, { backends: [backend.url], ...options })
      const first = await wireClient(t, port)
      first.send(waits())
      assert.equal((await first.response()).status, 100)
      first.send('hold')
      await until('it is being answered', () => holding !== undefined)

      const second = await wireClient(t, port)
      second.send(waits())
      await until('it waits for a connection', () => app.balancer.queue.length === 1)
      assert.equal(second.received, '')
      holding!.send(ok('first'))
      assert.equal((await first.response()).body, 'first')
      assert.equal((await second.response()).status, 100)
      assert.equal(second.rest, '')
      second.send('body')
      assert.equal((await second.response()).body, 'body')
      assert.deepEqual(
        backend.requests.map((request) => [request.body, valuesOf(request, 'expect')]),
        [
          ['hold', ['100-continue']],
          // It has not heeded the first one.
          ['body', []],
        ],
      )
    })
  }

  test('is told so in chunks as well, and its connection is kept', { timeout }, async (t) => {
    const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)))
    const { port } = await startApp(t, { backends: [backend.url] })
    const client = await wireClient(t, port)
    for (let count = 0; count < 2; count++) {
      client.send(waits().replace('content-length: 4', 'transfer-encoding: chunked'))
      assert.equal((await client.response()).status, 100)
      client.send('4\r\nbody\r\n0\r\n\r\n')
      const response = await client.response()
      assert.equal(response.body, 'body')
      assert.equal(valueOf(response, 'connection'), 'keep-alive')
    }
  })

  test('need not wait', { timeout }, async (t) => {
    const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)))
    const { port } = await startApp(t, { backends: [backend.url] })
    const client = await wireClient(t, port)
    client.send(`${waits()}body`)
    let response = await client.response()
    if (response.status === 100) response = await client.response()
    assert.equal(response.body, 'body')
  })

  test('is told in spite of a body that is not there', { timeout }, async (t) => {
    const backend = await startWireBackend(t)
    const { port } = await startApp(t, { backends: [backend.url] })
    for (const request of [get('/', 'expect: 100-continue'), waits('POST', 0)]) {
      const client = await wireClient(t, port)
      client.send(request)
      let response = await client.response()
      if (response.status === 100) response = await client.response()
      assert.equal(response.status, 200)
    }
  })

  /** Fails, and is not to ask for the body. */
  async function refused(t: TestContext, options: BalancerOptions, status: number, code: string) {
    const { app, port } = await startApp(t, options)
    const client = await wireClient(t, port)
    client.send(waits())
    const response = await client.response()
    assert.equal(response.status, status)
    assert.equal(JSON.parse(response.body).code, code)
    assert.equal(valueOf(response, 'connection'), 'close')
    // Nothing but this was said.
    assert.equal(await client.closed(), '')
    for (const backend of app.balancer.backends) await until('nothing is in flight', () => backend.inFlight === 0)
    return app
  }

  test('is not told when there is no backend', { timeout }, async (t) => {
    await refused(t, {}, 503, 'FST_BALANCER_NO_BACKEND')
  })

  test('is not told when its request is refused', { timeout }, async (t) => {
    const backend = await startWireBackend(t)
    const { port } = await startApp(t, { backends: [backend.url] })
    const client = await wireClient(t, port)
    client.send(waits().replace('POST / ', 'POST /# '))
    assert.equal((await client.response()).status, 400)
    assert.equal(await client.closed(), '')
    assert.equal(backend.connections.length, 0)
  })

  test('is not told when nobody listens', { timeout }, async (t) => {
    const backends = [await unusedOrigin(), await unusedOrigin()]
    const app = await refused(t, { backends }, 502, 'FST_BALANCER_CONNECT_REFUSED')
    // Nothing was sent, so each could be tried.
    assert.deepEqual(
      app.balancer.backends.map(({ outcomes }) => outcomes),
      [{ 'connect-refused': 1 }, { 'connect-refused': 1 }],
    )
  })

  test('is not told when no connection comes about', { timeout }, async (t) => {
    const sockets: Socket[] = []
    // It accepts, and then does not shake hands.
    const url = (await startRawBackend(t, (socket) => void sockets.push(socket))).replace('http:', 'https:')
    const limits = [
      ['FST_BALANCER_CONTINUE_TIMEOUT', { continue: 30, connect: 300 }],
      ['FST_BALANCER_CONNECT_TIMEOUT', { continue: 0, connect: 30 }],
    ] as const
    for (const [code, timeouts] of limits) {
      await t.test(code, async (t) => void (await refused(t, { backends: [url], timeouts }, 504, code)))
    }
    await until('both had reached it', () => sockets.length === 2)
  })

  test('is not told when no backend becomes free', { timeout }, async (t) => {
    const backend = await startWireBackend(t, () => {})
    const { app, port } = await startApp(t, {
      backends: [backend.url],
      pool: { connections: 1 },
      timeouts: { queue: 30 },
    })
    const first = await wireClient(t, port)
    first.send(get('/hold'))
    await until('it is taken', () => backend.requests.length === 1)
    const second = await wireClient(t, port)
    second.send(waits())
    const response = await second.response()
    assert.equal(response.status, 503)
    assert.equal(JSON.parse(response.body).code, 'FST_BALANCER_QUEUE_TIMEOUT')
    assert.equal(await second.closed(), '')
    assert.equal(app.balancer.queue.length, 0)
    assert.equal(backend.connections.length, 1)
  })

  test('is told once, though the first backend could not be reached', { timeout }, async (t) => {
    const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)))
    const { port } = await startApp(t, { backends: [await unusedOrigin(), backend.url] })
    const client = await wireClient(t, port)
    client.send(waits())
    assert.equal((await client.response()).status, 100)
    client.send('body')
    assert.equal((await client.response()).body, 'body')
    assert.equal(backend.requests[0]!.body, 'body')
  })

  test('is answered by a backend that does not want the body', { timeout }, async (t) => {
    const backend = await startWireBackend(t, ok(), {
      onHead: (_, connection) => connection.send('HTTP/1.1 413 X\r\ncontent-length: 4\r\n\r\nmuch'),
    })
    const { app, port } = await startApp(t, { backends: [backend.url] })
    const client = await wireClient(t, port)
    client.send(waits('POST', 1_000_000))
    const response = await client.response()
    assert.equal(response.status, 413)
    assert.equal(response.body, 'much')
    assert.equal(valueOf(response, 'connection'), 'close')
    await client.closed()
    await until('nothing is in flight', () => app.balancer.backends[0]!.inFlight === 0)
  })

  test('gets 417 for any other expectation, and nothing reaches a backend', { timeout }, async (t) => {
    const backend = await startWireBackend(t)
    const { port } = await startApp(t, { backends: [backend.url] })
    const response = await exchange(t, port, waits().replace('100-continue', '200-ok'))
    assert.equal(response.status, 417)
    assert.equal(backend.connections.length, 0)
  })

  test('in HTTP/1.0 does not wait, and is not told', { timeout }, async (t) => {
    const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)))
    const { port } = await startApp(t, { backends: [backend.url] })
    const response = await exchange(t, port, `${waits().replace('HTTP/1.1', 'HTTP/1.0')}body`)
    assert.equal(response.status, 200)
    assert.equal(response.body, 'body')
  })
})

describe('the expectation of a client reaches the backend', () => {
  const continued = 'HTTP/1.1 100 Continue\r\n\r\n'
  const chunked = waits().replace('content-length: 4', 'transfer-encoding: chunked')

  test('which asks for the body, by whatever framing and method', { timeout }, async (t) => {
    const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)), {
      onHead: (_, connection) => connection.send(continued),
    })
    const { app, port } = await startApp(t, { backends: [backend.url], timeouts: { continue: 0 } })
    const client = await wireClient(t, port)
    for (const [request, body] of [
      [waits(), 'body'],
      [waits('PUT'), 'body'],
      [waits('DELETE'), 'body'],
      [chunked, '2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n'],
    ] as const) {
      client.send(request)
      assert.equal((await client.response()).status, 100)
      client.send(body)
      const response = await client.response()
      assert.equal(response.body, 'body')
      assert.equal(valueOf(response, 'connection'), 'keep-alive')
    }
    assert.deepEqual(
      backend.requests.map((request) => [request.start, request.body, request.framing, valueOf(request, 'expect')]),
      [
        ['POST / HTTP/1.1', 'body', 'length', '100-continue'],
        ['PUT / HTTP/1.1', 'body', 'length', '100-continue'],
        ['DELETE / HTTP/1.1', 'body', 'length', '100-continue'],
        ['POST / HTTP/1.1', 'body', 'chunked', '100-continue'],
      ],
    )
    assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 4 })
  })

  test('and is told on only when the backend asks', { timeout }, async (t) => {
    let asking: WireConnection | undefined
    const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)), {
      onHead: (_, connection) => void (asking = connection),
    })
    const { port } = await startApp(t, { backends: [backend.url] })
    const client = await wireClient(t, port)
    client.send(waits())
    await until('the backend has the head', () => asking !== undefined)
    assert.equal(client.received, '')
    asking!.send(continued)
    assert.equal((await client.response()).status, 100)
    client.send('body')
    assert.equal((await client.response()).body, 'body')
  })

  for (const lane of ['raw', 'full'] as const) {
    for (const [framing, request] of Object.entries({ length: waits(), chunks: chunked })) {
      test(`which answers 401, and so spares the body by ${framing} (${lane} lane)`, { timeout }, async (t) => {
        const refusal = 'HTTP/1.1 401 X\r\nwww-authenticate: Basic\r\ncontent-length: 2\r\n\r\nno'
        const backend = await startWireBackend(t, ok('own'), {
          onHead: (head, connection) => {
            if (head.startsWith('POST')) connection.send(refusal)
          },
        })
        const { app, port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
        for (let count = 0; count < 3; count++) {
          const client = await wireClient(t, port)
          client.send(request)
          const response = await client.response()
          assert.equal(response.status, 401)
          assert.equal(response.body, 'no')
          // Its connection may not be used again: whether the body follows is open.
          assert.equal((await exchange(t, port, get())).body, 'own')
        }
        assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 6 })
        assert.ok(backend.connections.every(({ received }) => !received.includes('body')))
      })
    }
  }

  test(
    'a large upload is sent as it is read, and the client is not read ahead of it',
    { timeout: 20_000 },
    async (t) => {
      const size = 3_000_000
      const backend = await startWireBackend(
        t,
        (request, connection) => connection.send(ok(String(request.body.length))),
        {
          onHead: (_, connection) => connection.send(continued),
        },
      )
      const { port } = await startApp(t, { backends: [backend.url] })
      const client = await wireClient(t, port)
      client.send(waits('POST', size))
      assert.equal((await client.response()).status, 100)
      client.send('x'.repeat(size))
      assert.equal((await client.response()).body, String(size))
    },
  )

  test('whose client leaves in the midst of it: nothing is left', { timeout }, async (t) => {
    const backend = await startWireBackend(t, ok(), { onHead: (_, connection) => connection.send(continued) })
    const { app, port } = await startApp(t, { backends: [backend.url] })
    for (const part of ['', 'bo']) {
      const client = await wireClient(t, port)
      client.send(waits())
      assert.equal((await client.response()).status, 100)
      client.send(part)
      client.socket.destroy()
      await until('nothing is in flight', () => app.balancer.backends[0]!.inFlight === 0)
    }
    await until('its connections are closed', () => backend.connections.every(({ socket }) => socket.destroyed))
    assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'client-gone': 2 })
  })

  test('which is lost before it answers: once, and with no body', { timeout }, async (t) => {
    const backend = await startWireBackend(t, ok(), { onHead: (_, { socket }) => void socket.resetAndDestroy() })
    const { app, port } = await startApp(t, { backends: [backend.url] })
    const client = await wireClient(t, port)
    client.send(waits())
    assert.equal((await client.response()).status, 502)
    assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'reset-before-headers': 1 })
  })
})

describe('a backend that says 100 Continue though nobody has asked', () => {
  const continued = 'HTTP/1.1 100 Continue\r\n\r\n'
  const hinted = 'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n'
  const befores: Record<string, string> = {
    once: continued,
    'three times': continued.repeat(3),
    'with fields': 'HTTP/1.1 100 Go on\r\ndate: now\r\nx-a: 1\r\n\r\n',
    'as HTTP/1.0': 'HTTP/1.0 100 Continue\r\n\r\n',
    'after 102': `HTTP/1.1 102 Processing\r\n\r\n${continued}`,
    'before 102': `${continued}HTTP/1.1 102 Processing\r\n\r\n`,
    'around 103': continued + hinted + continued,
  }
  const requests = {
    GET: get(),
    HEAD: get().replace('GET', 'HEAD'),
    POST: 'POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 4\r\n\r\nbody',
  }
  for (const lane of ['raw', 'full'] as const) {
    for (const [how, before] of Object.entries(befores)) {
      for (const [method, request] of Object.entries(requests)) {
        test(`${how} is heard for its answer to ${method} (${lane} lane)`, { timeout }, async (t) => {
          const backend = await startWireBackend(t, before + (method === 'HEAD' ? ok().slice(0, -2) : ok()))
          const { app, port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
          const client = await wireClient(t, port)
          for (let count = 0; count < 2; count++) {
            client.send(request)
            let response = await client.response({ bodyless: method === 'HEAD' })
            if (response.status === 103) response = await client.response({ bodyless: method === 'HEAD' })
            assert.equal(response.status, 200)
          }
          assert.equal(client.rest, '')
          // The first connection after HEAD is watched for a while before it is used again.
          if (method !== 'HEAD') assert.equal(backend.connections.length, 1)
          assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 2 })
        })
      }
    }

    test(`is heard for its answer wherever the network cuts (${lane} lane)`, { timeout: 60_000 }, async (t) => {
      const whole = continued + hinted + continued + ok('body')
      for (let cut = 1; cut < whole.length; cut += 3) {
        const backend = await startWireBackend(t, (_, { socket }) => {
          socket.write(whole.slice(0, cut), 'latin1', () =>
            setImmediate(() => socket.write(whole.slice(cut), 'latin1')),
          )
        })
        const { app, port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        client.send(get())
        assert.equal((await client.response()).status, 103)
        assert.equal((await client.response()).body, 'body', `cut at ${cut}`)
        assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 1 })
      }
    })
  }

  test('and never answers is the one at fault, as if it had said nothing', { timeout }, async (t) => {
    const backend = await startWireBackend(t, continued)
    const { app, port } = await startApp(t, { backends: [backend.url], timeouts: { headers: 100 } })
    assert.equal((await exchange(t, port, get())).status, 504)
    assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'headers-timeout': 1 })
  })
})

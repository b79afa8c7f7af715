import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyError } from 'fastify'
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { pipeline, Readable, Transform } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { readAll, startBackend } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

type Rewrite = NonNullable<BalancerOptions['rewrite']>
const lanes = ['raw', 'full'] as const

async function start(t: TestContext, lane: (typeof lanes)[number], rewrite: Rewrite, listener?: RequestListener) {
  const lines = new LogLines()
  const app = Fastify({ logger: { level: 'info', stream: lines.stream } })
  const handled: string[] = []
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    handled.push(error.message)
    void reply.code(error.statusCode ?? 500).send({ handled: error.message })
  })
  const backend = await startBackend(t, listener)
  await app.register(balancer, { backends: [backend.url], lane, rewrite })
  return { ...(await listenApp(t, app)), backend, lines, handled }
}

const echo: RequestListener = (incoming, response) => {
  void readAll(incoming).then((body) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body }))
  })
}

const upperCase = () =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, chunk.toString().toUpperCase())
    },
  })

for (const lane of lanes) {
  test(`a request hook changes method, path and headers, and sees what came in: ${lane} lane`, async (t) => {
    const seen: unknown[] = []
    const { url } = await start(
      t,
      lane,
      {
        request: ({ in: request, out }) => {
          seen.push(request.method, request.url, request.headers['x-secret'], { ...out.headers }['x-secret'])
          out.method = 'PUT'
          out.path = `/v2${out.path}&more=1`
          delete out.headers['x-secret']
          out.headers['x-added'] = ['one', 'two']
          out.headers.host = 'inside.example'
        },
      },
      echo,
    )
    const answer = await ask(`${url}/path?query=1`, {
      method: 'POST',
      headers: { 'x-secret': 'whispered', 'x-kept': 'kept' },
      body: 'as it was',
    })
    const received = JSON.parse(answer.body) as { method: string; url: string; headers: object; body: string }
    assert.deepEqual(seen, ['POST', '/path?query=1', 'whispered', 'whispered'])
    assert.deepEqual(
      { ...received, headers: undefined },
      { method: 'PUT', url: '/v2/path?query=1&more=1', headers: undefined, body: 'as it was' },
    )
    const headers = received.headers as Record<string, string>
    assert.deepEqual(
      [headers['x-secret'], headers['x-kept'], headers['x-added'], headers.host],
      [undefined, 'kept', 'one, two', 'inside.example'],
    )
  })

  test(`a request hook runs after all hygiene, so that what it sets is what is sent: ${lane} lane`, async (t) => {
    const { url } = await start(
      t,
      lane,
      {
        request: ({ out }) => {
          assert.equal(out.headers['x-nominated'], undefined)
          assert.equal(out.headers['x-forwarded-for'], '127.0.0.1')
          out.headers['x-forwarded-for'] = 'set by hand'
          out.headers['x-nominated'] = 'set by hand'
        },
      },
      echo,
    )
    const answer = await ask(url, { headers: { connection: 'x-nominated', 'x-nominated': 'by the client' } })
    const { headers } = JSON.parse(answer.body) as { headers: Record<string, string> }
    assert.deepEqual([headers['x-forwarded-for'], headers['x-nominated']], ['set by hand', 'set by hand'])
  })

  test(`a response hook changes status and headers: ${lane} lane`, async (t) => {
    const { app, url } = await start(
      t,
      lane,
      {
        response: ({ in: received, out, request }) => {
          out.headers['x-seen'] = `${request.method} ${received.status} ${String(received.headers['x-from'])}`
          out.headers['x-by'] = received.backend.id
          delete out.headers['x-from']
          out.headers['set-cookie'] = ['a=1', 'b=2']
          out.status = 418
        },
      },
      (_incoming, response) => response.writeHead(200, { 'x-from': 'backend', 'x-kept': 'kept' }).end('the body'),
    )
    const answer = await ask(url)
    assert.deepEqual([answer.status, answer.body], [418, 'the body'])
    assert.deepEqual(
      ['x-seen', 'x-by', 'x-from', 'x-kept', 'set-cookie'].map((name) => answer.headers[name]),
      ['GET 200 backend', app.balancer.backends[0]!.id, undefined, 'kept', ['a=1', 'b=2']],
    )
  })

  test(`what a request hook breaks is the app's own error, and nothing is sent: ${lane} lane`, async (t) => {
    const { app, url, backend, lines, handled } = await start(t, lane, {
      request: ({ in: request, out }) => {
        if (request.url === '/path') out.path = 'no path at all'
        else if (request.url === '/status') throw Object.assign(new Error('not for you'), { statusCode: 403 })
        else throw new Error('the hook broke')
      },
    })
    const broken = await ask(url, { method: 'POST', body: 'never read' })
    assert.deepEqual([broken.status, JSON.parse(broken.body)], [500, { handled: 'the hook broke' }])
    const refused = await ask(`${url}/status`)
    assert.deepEqual([refused.status, JSON.parse(refused.body)], [403, { handled: 'not for you' }])
    assert.equal((await ask(`${url}/path`)).status, 500)
    assert.equal(handled.length, 3)
    assert.deepEqual([backend.received.length, backend.sockets.size], [0, 0])
    await until('every exchange has ended', () => lines.exchanges.length === 3)
    for (const line of lines.exchanges) assert.equal(line.outcome, 'rewrite-failed')
    assert.equal(app.balancer.exchanges, 0)
  })

  test(`what a response hook breaks is the app's own error, and nothing hangs: ${lane} lane`, async (t) => {
    const bodies: Record<string, (response: Parameters<RequestListener>[1]) => void> = {
      '/small': (response) => response.end('small'),
      '/large': (response) => response.end(Buffer.alloc(500_000)),
      '/open': (response) => void response.write('open for ever'),
      '/none': (response) => response.writeHead(204).end(),
    }
    const { app, url, backend, lines, handled } = await start(
      t,
      lane,
      {
        response: () => {
          throw new Error('the hook broke')
        },
      },
      (incoming, response) => bodies[incoming.url!]!(response),
    )
    for (const path of Object.keys(bodies)) {
      const answer = await ask(url + path)
      assert.deepEqual([answer.status, answer.body], [500, '{"handled":"the hook broke"}'], path)
    }
    assert.equal(handled.length, 4)
    await until('every exchange has ended', () => lines.exchanges.length === 4)
    for (const line of lines.exchanges) assert.equal(line.outcome, 'rewrite-failed')
    const [view] = app.balancer.backends
    await until('nothing is in flight', () => view!.inFlight === 0)
    // It was not the backend's fault.
    assert.equal(view!.penalty, 0)
    assert.equal(backend.received.length, 4)
  })
}

test('a response hook replaces a body in the full lane: whole, in pieces, or by another kind', async (t) => {
  const bodies: Record<string, (response: Parameters<RequestListener>[1]) => void> = {
    '/short': (response) => response.setHeader('content-length', 5).end('short'),
    '/pieces': (response) => {
      response.write('in ')
      setImmediate(() => response.end('pieces'))
    },
    '/long': (response) => response.setHeader('content-length', 500_000).end('long '.repeat(100_000)),
  }
  const { url } = await start(
    t,
    'full',
    {
      response: ({ out, request }) => {
        const { body } = out
        assert.ok(body instanceof Readable || Buffer.isBuffer(body))
        if (request.headers['x-replace'] === 'text') out.body = 'something else'
        else if (body instanceof Readable) out.body = pipeline(body, upperCase(), () => {})
        else out.body = Buffer.from(body.toString().toUpperCase())
      },
    },
    (incoming, response) => bodies[incoming.url!]!(response),
  )
  for (const [path, expected] of [
    ['/short', 'SHORT'],
    ['/pieces', 'IN PIECES'],
    ['/long', 'LONG '.repeat(100_000)],
  ] as const) {
    const answer = await ask(url + path)
    assert.deepEqual([answer.status, answer.whole, answer.body === expected], [200, true, true], path)
    const other = await ask(url + path, { headers: { 'x-replace': 'text' } })
    assert.deepEqual([other.body, other.headers['content-length'] ?? '14'], ['something else', '14'], path)
  }
})

test('a replaced body that its client gives up ends at the backend, too', async (t) => {
  const { app, url, backend } = await start(
    t,
    'full',
    { response: ({ out }) => void (out.body = pipeline(out.body as Readable, upperCase(), () => {})) },
    (_incoming, response) => void response.write('a beginning without an end'),
  )
  const gone = new AbortController()
  const response = await fetch(url, { signal: gone.signal })
  const first = await response.body!.getReader().read()
  assert.equal(Buffer.from(first.value ?? '').toString(), 'A BEGINNING WITHOUT AN END')
  gone.abort()
  await until('it has ended', () => app.balancer.exchanges === 0 && backend.sockets.size === 0)
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'client-gone': 1 })
})

test('a replaced body that its backend breaks off does not look whole', async (t) => {
  const { app, url, backend } = await start(
    t,
    'full',
    { response: ({ out }) => void (out.body = pipeline(out.body as Readable, upperCase(), () => {})) },
    (_incoming, response) => void response.write('a beginning without an end'),
  )
  const answer = ask(url)
  await until('it has begun', () => app.balancer.backends[0]!.bytesReceived > 0)
  for (const socket of backend.sockets) socket.destroy()
  const { whole } = await answer
  assert.equal(whole, false)
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'body-truncated': 1 })
})

test('a replaced body that breaks by itself does not look whole, and nothing hangs', async (t) => {
  const { app, url } = await start(
    t,
    'full',
    {
      response: ({ out }) => {
        const breaking = new Transform({ transform: (_chunk, _encoding, done) => done(new Error('cannot be read')) })
        out.body = pipeline(out.body as Readable, breaking, () => {})
      },
    },
    (_incoming, response) => void response.write('a beginning without an end'),
  )
  const { status, whole } = await ask(url)
  assert.ok(status === 500 || !whole)
  await until('it has ended', () => app.balancer.exchanges === 0 && app.balancer.backends[0]!.inFlight === 0)
})

import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { createGzip, gunzipSync, gzipSync } from 'node:zlib'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { readAll, startBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'

/** What a backend says that it has received. */
interface Echo {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function startEcho(t: TestContext) {
  return startBackend(t, (incoming, response) => {
    void readAll(incoming).then((body) => {
      const { method, url, headers } = incoming
      response.writeHead(201, { 'content-type': 'application/json', 'x-backend': 'echo' })
      response.end(JSON.stringify({ method, url, headers, body }))
    })
  })
}

/** An app with routes of its own and a balancer that has none. */
async function start(
  t: TestContext,
  routes: (app: FastifyInstance) => void,
  options: BalancerOptions & { backends: NonNullable<BalancerOptions['backends']> },
) {
  const app = Fastify()
  await app.register(balancer, { route: false, ...options })
  routes(app)
  return listenApp(t, app)
}

const parse = (body: string) => JSON.parse(body) as Echo

for (const lane of ['raw', 'full'] as const) {
  test(`a route of the app forwards, from a plain handler and from an async one: ${lane} lane`, async (t) => {
    const backend = await startEcho(t)
    const { app, url } = await start(
      t,
      (routes) => {
        routes.get('/plain', (_request, reply) => reply.forward())
        routes.get('/silent', (_request, reply) => void reply.forward())
        routes.get('/async', async (_request, reply) => reply.forward())
        routes.get('/awaited', async (_request, reply) => {
          await Promise.resolve()
          return reply.forward()
        })
      },
      { backends: [backend.url], lane },
    )
    for (const path of ['/plain', '/silent', '/async', '/awaited']) {
      const answer = await ask(`${url}${path}?a=b%20c`)
      assert.deepEqual([answer.status, answer.headers['x-backend']], [201, 'echo'], path)
      assert.equal(parse(answer.body).url, `${path}?a=b%20c`)
    }
    // Whatever is not a route is not forwarded.
    assert.equal((await ask(`${url}/other`)).status, 404)
    assert.equal(backend.received.length, 4)
    await until('all has ended', () => app.balancer.exchanges === 0)
  })

  test(`a body that the app has parsed is sent as what it means: ${lane} lane`, async (t) => {
    const backend = await startEcho(t)
    const { url } = await start(
      t,
      (routes) => {
        routes.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => {
          done(null, body)
        })
        routes.post('/', (request, reply) => {
          if (typeof request.body === 'object' && !Buffer.isBuffer(request.body)) {
            request.body = { ...request.body, added: 'ü' }
          }
          return reply.forward()
        })
      },
      { backends: [backend.url], lane },
    )
    const json = await ask(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{ "given" :   1 }',
    })
    const { headers, body } = parse(json.body)
    assert.deepEqual(JSON.parse(body), { given: 1, added: 'ü' })
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['content-length'], String(Buffer.byteLength(body)))
    assert.equal(headers['transfer-encoding'], undefined)

    const text = await ask(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'grüße' })
    assert.equal(parse(text.body).body, 'grüße')

    const bytes = Buffer.from([0, 255, 128, 10])
    const binary = await ask(url, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
    })
    assert.equal(parse(binary.body).headers['content-length'], '4')
    assert.equal(parse(binary.body).body, bytes.toString())
  })
}

test('a body that comes in pieces and is parsed has a length when it is sent', async (t) => {
  const backend = await startEcho(t)
  const { url } = await start(t, (routes) => routes.post('/', (_request, reply) => reply.forward()), {
    backends: [backend.url],
  })
  const answer = await ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Readable.from(['{"a":', '1}']),
  })
  const { headers, body } = parse(answer.body)
  assert.deepEqual([body, headers['content-length'], headers['transfer-encoding']], ['{"a":1}', '7', undefined])
})

test('a body that the app has unpacked is sent without the coding that it came in', async (t) => {
  const backend = await startEcho(t)
  const { url } = await start(
    t,
    (routes) => {
      routes.addContentTypeParser('application/gzip', { parseAs: 'buffer' }, (_request, body, done) => {
        done(null, gunzipSync(body))
      })
      routes.post('/', (_request, reply) => reply.forward())
    },
    { backends: [backend.url] },
  )
  const packed = gzipSync('unpacked')
  const headers = { 'content-type': 'application/gzip', 'content-encoding': 'gzip', 'content-length': packed.length }
  const answer = parse((await ask(url, { method: 'POST', headers, body: packed })).body)
  assert.deepEqual(
    [answer.body, answer.headers['content-encoding'], answer.headers['content-length']],
    ['unpacked', undefined, '8'],
  )
})

test('a body that the app has replaced by a stream is sent as that', async (t) => {
  const backend = await startBackend(t, (incoming, response) => void incoming.pipe(response))
  const { url } = await start(
    t,
    (routes) => {
      routes.removeAllContentTypeParsers()
      routes.addContentTypeParser('*', (_request, payload, done) => done(null, payload.pipe(createGzip())))
      routes.post('/', (_request, reply) => reply.forward())
    },
    { backends: [backend.url] },
  )
  const body = 'to be packed '.repeat(20_000)
  const { hostname, port } = new URL(url)
  const response = await fetch(`http://${hostname}:${port}/`, { method: 'POST', body })
  assert.equal(gunzipSync(Buffer.from(await response.arrayBuffer())).toString(), body)
})

test('a route that does not parse streams the body', async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    // Answers with the first piece before the second is sent.
    incoming.once('data', (chunk: Buffer) => response.write(chunk))
    incoming.on('end', () => response.end())
  })
  const { url } = await start(
    t,
    (routes) => {
      routes.removeAllContentTypeParsers()
      routes.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      routes.post('/', (_request, reply) => reply.forward())
    },
    { backends: [backend.url] },
  )
  const body = new Readable({ read() {} })
  body.push('first')
  const answer = ask(url, { method: 'POST', body })
  await until('the first piece has arrived', () => backend.received.length === 1)
  body.push('second')
  body.push(null)
  assert.equal((await answer).body, 'first')
})

test('the hooks of the app run before anything is sent, and what they set is on the response', async (t) => {
  const backend = await startEcho(t)
  const order: string[] = []
  const { url } = await start(
    t,
    (routes) => {
      for (const hook of ['onRequest', 'preHandler'] as const)
        routes.addHook(hook, async (request, reply) => {
          order.push(`${hook} ${backend.received.length}`)
          reply.header(`x-${hook}`, 'ran')
          if (request.url === '/refused') throw Object.assign(new Error('no'), { statusCode: 401 })
        })
      routes.get('/*', (_request, reply) => reply.forward())
    },
    { backends: [backend.url] },
  )
  const answer = await ask(url)
  assert.deepEqual([answer.headers['x-onrequest'], answer.headers['x-prehandler']], ['ran', 'ran'])
  assert.deepEqual(order, ['onRequest 0', 'preHandler 0'])
  assert.equal((await ask(`${url}/refused`)).status, 401)
  assert.equal(backend.received.length, 1)
})

test('a route names its balancer, or hands it over', async (t) => {
  const [one, two] = [await startBackend(t, undefined, 'one'), await startBackend(t, undefined, 'two')]
  const app = Fastify()
  await app.register(balancer, { name: 'one', route: false, backends: [one.url] })
  await app.register(balancer, { name: 'two', route: false, backends: [two.url] })
  app.get('/one', (_request, reply) => reply.forward({ balancer: 'one' }))
  app.get('/two', (_request, reply) => reply.forward({ balancer: app.balancers.get('two')! }))
  app.get('/nobody', (_request, reply) => reply.forward({ balancer: 'nobody' }))
  app.get('/unnamed', (_request, reply) => reply.forward())
  const { url } = await listenApp(t, app)
  assert.deepEqual([(await ask(`${url}/one`)).body, (await ask(`${url}/two`)).body], ['one', 'two'])
  for (const path of ['/nobody', '/unnamed']) {
    const answer = await ask(url + path)
    const { statusCode, code, message } = JSON.parse(answer.body) as Record<string, unknown>
    assert.deepEqual([answer.status, statusCode, code], [500, 500, 'FST_BALANCER_UNKNOWN_BALANCER'], path)
    // It says what there is.
    assert.match(String(message), /one, two/)
  }
})

test('a forwarding that fails is answered as any other', async (t) => {
  const { url } = await start(t, (routes) => routes.get('/', async (_request, reply) => reply.forward()), {
    backends: [],
  })
  const answer = await ask(url)
  assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'])
  assert.equal((JSON.parse(answer.body) as { code: string }).code, 'FST_BALANCER_NO_BACKEND')
})

import balancer, { type BalancerOptions, type ForwardOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'

/** An app whose route `/` forwards with these options, and `/plain` without any. */
async function start(
  t: TestContext,
  answer: (incoming: IncomingMessage, response: ServerResponse) => void,
  call: ForwardOptions,
  options: BalancerOptions = {},
  more: (app: FastifyInstance) => void = () => {},
) {
  const backend = await startBackend(t, answer)
  const app = Fastify()
  await app.register(balancer, { route: false, backends: [backend.url], retry: { attempts: 0 }, ...options })
  app.all('/', (_request, reply) => reply.forward(call))
  app.get('/plain', (_request, reply) => reply.forward())
  more(app)
  const { url } = await listenApp(t, app)
  return { app, url, backend }
}

const hello = (_incoming: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(201, { 'content-type': 'text/plain', 'content-length': '5', 'x-backend': 'yes' }).end('hello')

test('rewrite: in place of the balancer’s, for this request alone', async (t) => {
  const { url } = await start(
    t,
    (incoming, response) => response.end(`${incoming.url} ${String(incoming.headers['x-from'])}`),
    {
      rewrite: {
        request: ({ out }) => {
          out.path = '/own'
          out.headers['x-from'] = 'call'
        },
        response: ({ out }) => void (out.headers['x-seen'] = 'call'),
      },
    },
    { rewrite: { request: ({ out }) => void (out.headers['x-from'] = 'balancer') } },
  )
  const own = await ask(url)
  assert.deepEqual([own.body, own.headers['x-seen']], ['/own call', 'call'])
  const plain = await ask(`${url}/plain`)
  assert.deepEqual([plain.body, plain.headers['x-seen']], ['/plain balancer', undefined])
})

test('timeouts: for this request alone', async (t) => {
  const { url, app } = await start(t, () => {}, { timeouts: { request: 30 } }, { timeouts: { headers: 200 } })
  const own = await ask(url)
  assert.deepEqual([own.status, JSON.parse(own.body).code], [504, 'FST_BALANCER_REQUEST_TIMEOUT'])
  assert.equal(JSON.parse((await ask(`${url}/plain`)).body).code, 'FST_BALANCER_HEADERS_TIMEOUT')
  assert.equal(app.balancer.options.timeouts.request, 0)
})

for (const [when, wait] of [
  ['at once', () => undefined],
  ['later', () => new Promise((resolve) => setImmediate(resolve))],
] as const) {
  test(`onResponse answers in place of the backend ${when}, with what it read`, async (t) => {
    const { url } = await start(t, hello, {
      async onResponse(_request, reply, { status, headers, body, backend }) {
        await wait()
        const read = await text(body)
        return reply
          .code(200)
          .type('application/json')
          .send({ status, read, header: headers['x-backend'], of: backend.url })
      },
    })
    const { status, body, headers } = await ask(url)
    const { of, ...rest } = JSON.parse(body)
    assert.equal(status, 200)
    assert.deepEqual(rest, { status: 201, read: 'hello', header: 'yes' })
    assert.match(of, /^http:\/\/127\.0\.0\.1/)
    assert.equal(headers['content-length'], String(Buffer.byteLength(body)))
  })

  test(`onResponse that only looks, ${when}: the response goes to the client as it is`, async (t) => {
    const { url } = await start(t, hello, {
      async onResponse(_request, reply) {
        await wait()
        reply.header('x-looked', '1')
      },
    })
    const { status, body, headers } = await ask(url)
    assert.deepEqual(
      [status, body, headers['content-length'], headers['x-looked'], headers['x-backend']],
      [201, 'hello', '5', '1', 'yes'],
    )
    const head = await ask(url, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers['content-length'], head.headers['x-looked']], [201, '5', '1'])
  })

  test(`onResponse that throws ${when}: the error handler gets its error, and nothing of the backend`, async (t) => {
    const { url, app } = await start(
      t,
      (_incoming, response) =>
        response.writeHead(200, { 'content-encoding': 'br', etag: '"1"', 'content-type': 'text/css' }).end('x'),
      {
        async onResponse() {
          await wait()
          throw Object.assign(new Error('not like this'), { statusCode: 418 })
        },
      },
    )
    const { status, body, headers } = await ask(url)
    assert.deepEqual([status, JSON.parse(body).message], [418, 'not like this'])
    assert.deepEqual([headers['content-encoding'], headers.etag], [undefined, undefined])
    assert.match(String(headers['content-type']), /json/)
    await until('it is over', () => app.balancer.exchanges === 0)
  })
}

test('onResponse that throws synchronously: the error handler gets its error, and nothing of the backend', async (t) => {
  const { url } = await start(t, hello, {
    onResponse() {
      throw new Error('at once')
    },
  })
  const { status, body, headers } = await ask(url)
  assert.deepEqual([status, JSON.parse(body).message, headers['x-backend']], [500, 'at once', undefined])
})

test('onResponse is called once for a response without a length that arrives at once', async (t) => {
  let calls = 0
  const call: ForwardOptions = {
    onResponse(_request, reply) {
      calls++
      reply.send('mine')
    },
  }
  const looks: ForwardOptions = {
    async onResponse() {
      calls++
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  const { url } = await start(
    t,
    (_incoming, response) => response.writeHead(200).end('short'),
    call,
    {},
    (app) => app.get('/later', (_request, reply) => reply.forward(looks)),
  )
  assert.equal((await ask(url)).body, 'mine')
  assert.equal(calls, 1)
  assert.equal((await ask(`${url}/later`)).body, 'short')
  assert.equal(calls, 2)
})

test('onResponse that throws: the client does not get the status of the response that it refused', async (t) => {
  const { url } = await start(t, (_incoming, response) => response.writeHead(404, { 'content-length': '0' }).end(), {
    onResponse() {
      throw new Error('not like this')
    },
  })
  const { status, body } = await ask(url)
  assert.deepEqual([status, JSON.parse(body).message], [500, 'not like this'])
})

test('onResponse streams a large body through something of its own, and responses without a body', async (t) => {
  const size = 3_000_000
  const { url } = await start(
    t,
    (incoming, response) => {
      if (incoming.headers['x-empty'] !== undefined) response.writeHead(204).end()
      else response.writeHead(200, { 'content-length': String(size) }).end(Buffer.alloc(size, 'a'))
    },
    {
      onResponse(_request, reply, { body }) {
        const upper = async function* () {
          for await (const chunk of body) yield String(chunk).toUpperCase()
        }
        reply.send(Readable.from(upper()))
      },
    },
  )
  const { body } = await ask(url)
  assert.equal(body, 'A'.repeat(size))
  assert.equal((await ask(url, { headers: { 'x-empty': '1' } })).status, 204)
})

test('onResponse that sends something else without reading: the backend is let go', async (t) => {
  const { url, app } = await start(t, (_incoming, response) => response.writeHead(200).write('for ever'), {
    onResponse: (_request, reply) => void reply.code(200).send('done'),
  })
  assert.equal((await ask(url)).body, 'done')
  await until('its attempt is over', () => app.balancer.backends[0]!.inFlight === 0)
})

test('onResponse while the client leaves: its attempt ends, and its late answer harms nobody', async (t) => {
  const gate = Promise.withResolvers<void>()
  const called = Promise.withResolvers<void>()
  const { url, app } = await start(t, hello, {
    async onResponse(_request, reply) {
      called.resolve()
      await gate.promise
      return reply.send('late')
    },
  })
  const client = httpRequest(url).on('error', () => {})
  client.end()
  await called.promise
  client.destroy()
  await until('it is over', () => app.balancer.exchanges === 0)
  gate.resolve()
  assert.equal(app.balancer.backends[0]!.inFlight, 0)
  assert.equal((await ask(`${url}/plain`)).body, 'hello')
})

test('onResponse that answers with text in place of a compressed body: the client is not told that it is compressed', async (t) => {
  const zipped = gzipSync('zipped')
  const gzip = (_incoming: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }).end(zipped)
  const { url } = await start(t, gzip, { onResponse: (_request, reply) => void reply.send('text') }, {}, (app) => {
    app.get('/object', (_request, reply) =>
      reply.forward({ onResponse: (_read, own) => void own.type('application/json').send({ a: 1 }) }),
    )
    app.get('/stream', (_request, reply) =>
      reply.forward({ onResponse: (_read, own, { body }) => void own.send(body.pipe(new PassThrough())) }),
    )
    app.get('/bytes', (_request, reply) =>
      reply.forward({ onResponse: async (_read, own, { body }) => own.send(await buffer(body)) }),
    )
  })
  const answers = await Promise.all(['/', '/object'].map((path) => ask(url + path)))
  assert.deepEqual(
    answers.map(({ body, headers }) => [body, headers['content-encoding']]),
    [
      ['text', undefined],
      ['{"a":1}', undefined],
    ],
  )
  for (const path of ['/stream', '/bytes']) assert.equal(await (await fetch(url + path)).text(), 'zipped')
})

test('onResponse is called once, also for a body of unknown length that is whole at once', async (t) => {
  let calls = 0
  const whole = (_incoming: IncomingMessage, response: ServerResponse) => {
    response.setHeader('transfer-encoding', 'chunked')
    response.end('whole')
  }
  const { url } = await start(t, whole, {
    async onResponse(_request, reply, { body }) {
      calls++
      return reply.send(await buffer(body))
    },
  })
  const read = []
  for (let count = 0; count < 5; count++) read.push((await ask(url)).body)
  assert.deepEqual([read, calls], [Array.from({ length: 5 }, () => 'whole'), 5])
})

test('onResponse of a response that announces trailers: none follow, and none are announced', async (t) => {
  let finish: (() => void) | undefined
  const trailing = (_incoming: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { trailer: 'x-sum', 'transfer-encoding': 'chunked' }).write('bo')
    finish = () => {
      response.addTrailers({ 'x-sum': '1' })
      response.end('dy')
    }
  }
  const { url } = await start(t, trailing, { onResponse: (_request, reply) => void reply.send('own') }, {}, (app) =>
    app.get('/looks', (_request, reply) => reply.forward({ onResponse: () => finish!() })),
  )
  const own = await ask(url)
  assert.deepEqual([own.body, own.headers.trailer], ['own', undefined])
  const looked = await ask(`${url}/looks`)
  assert.deepEqual([looked.body, looked.headers.trailer], ['body', undefined])
})

const refusing = (_incoming: IncomingMessage, response: ServerResponse) => void response.destroy()

test('onError answers a failed request, at once or later', async (t) => {
  const call: ForwardOptions = {
    async onError(_request, reply, error) {
      await Promise.resolve()
      return reply.code(200).send({ stale: true, because: (error as { reason?: string }).reason })
    },
  }
  const { url } = await start(t, refusing, call)
  const { status, body } = await ask(url)
  assert.deepEqual([status, JSON.parse(body)], [200, { stale: true, because: 'reset-before-headers' }])
})

test('onError that does not answer, or throws: the error handler gets that error', async (t) => {
  const seen: string[] = []
  const { url } = await start(
    t,
    refusing,
    { onError: (_request, _reply, error) => void seen.push(error.message) },
    {},
    (app) =>
      app.get('/throws', (_request, reply) =>
        reply.forward({
          onError() {
            throw new Error('from onError')
          },
        }),
      ),
  )
  const quiet = await ask(url)
  assert.deepEqual([quiet.status, JSON.parse(quiet.body).code], [502, 'FST_BALANCER_RESET_BEFORE_HEADERS'])
  assert.equal(seen.length, 1)
  assert.equal(JSON.parse((await ask(`${url}/throws`)).body).message, 'from onError')
})

for (const [when, wait] of [
  ['at once', () => undefined],
  ['later', () => new Promise((resolve) => setImmediate(resolve))],
] as const)
  test(`onError may forward the request to another balancer ${when}, and both have ended then`, async (t) => {
    const spare = await startBackend(t, (incoming, response) => void incoming.pipe(response))
    const call: ForwardOptions = {
      balancer: 'default',
      async onError(_request, reply) {
        await wait()
        reply.forward({ balancer: 'spare' })
      },
    }
    const { url, app } = await start(t, refusing, call, {}, (scope) =>
      scope.register(balancer, { name: 'spare', route: false, backends: [spare.url] }),
    )
    const { status, body } = await ask(url, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    })
    assert.deepEqual([status, body], [200, '{"a":1}'])
    const both = [...app.balancers.values()]
    await until('both are over', () => both.every(({ exchanges }) => exchanges === 0))
    assert.deepEqual(
      both.map(({ totals: { requests, failed, outcomes } }) => [requests, failed, Object.keys(outcomes)]),
      [
        [1, 1, ['reset-before-headers']],
        [1, 0, ['ok']],
      ],
    )
  })

test('a body that was passed on as a stream is not sent to another balancer: the client is told', async (t) => {
  const { url } = await start(t, refusing, {}, {}, (app) =>
    app.register(async (scope) => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      scope.post('/streamed', (_request, reply) => reply.forward({ onError: (_failed, again) => void again.forward() }))
    }),
  )
  const { status, body } = await ask(`${url}/streamed`, { method: 'POST', body: 'abc' })
  assert.deepEqual(
    [status, JSON.parse(body).message],
    [500, 'reply.forward: the body was forwarded before, and is not kept'],
  )
})

test('a request is not forwarded twice at once', async (t) => {
  const { url, app } = await start(t, hello, { onResponse: (_request, reply) => void reply.forward() })
  const { status, body } = await ask(url)
  assert.deepEqual([status, JSON.parse(body).message], [500, 'reply.forward: the request is being forwarded already'])
  await until('it is over', () => app.balancer.exchanges === 0)
  assert.equal(app.balancer.totals.requests, 1)
})

for (const thrown of [undefined, null, 'text', { statusCode: 200 }])
  test(`onError that throws ${JSON.stringify(thrown)}: the client is told of the failure`, async (t) => {
    const { url } = await start(t, refusing, {
      onError() {
        // oxlint-disable-next-line no-throw-literal -- JavaScript may
        throw thrown
      },
    })
    const { status, body } = await ask(url)
    assert.deepEqual([status, JSON.parse(body).code], [502, 'FST_BALANCER_RESET_BEFORE_HEADERS'])
  })

test('what cannot be an option is told by name, before anything is forwarded', async (t) => {
  let asked = 0
  const { url } = await start(
    t,
    (_incoming, response) => {
      asked++
      response.end()
    },
    { timeouts: { headers: -1, haeders: 3 }, onResponse: 'no', retries: 3 } as unknown as ForwardOptions,
  )
  const { status, body } = await ask(url)
  assert.equal(status, 500)
  const { message } = JSON.parse(body)
  for (const fault of [
    /reply\.forward: /,
    /timeouts\.headers: expected/,
    /timeouts\.haeders: unknown/,
    /onResponse: expected a function/,
    /retries: unknown option/,
  ])
    assert.match(message, fault)
  assert.equal(asked, 0)
})

test('options are read anew for each request where they are made anew', async (t) => {
  const { url } = await start(t, hello, {}, {}, (app) =>
    app.get('/mine/:n', (request, reply) =>
      reply.forward({
        rewrite: {
          response: ({ out }) => void (out.headers['x-n'] = (request.params as { n: string }).n),
        },
      }),
    ),
  )
  const answers = await Promise.all(['1', '2', '3'].map((n) => ask(`${url}/mine/${n}`)))
  assert.deepEqual(
    answers.map(({ headers }) => headers['x-n']),
    ['1', '2', '3'],
  )
})

test('options of a route are checked once, not for each request', async (t) => {
  let looks = 0
  const call: ForwardOptions = {
    timeouts: {
      get request() {
        looks++
        return 5000
      },
    },
  }
  const { url } = await start(t, hello, call)
  const looksOf = async () => {
    const before = looks
    assert.equal((await ask(url)).body, 'hello')
    return looks - before
  }
  const first = await looksOf()
  const second = await looksOf()
  assert.ok(second < first, `${second} looks, after ${first} for the first request`)
  assert.equal(await looksOf(), second)
})

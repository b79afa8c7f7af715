import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as askNode, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable, Transform } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { listenApp } from '../support/app.ts'
import { ask, type Question } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { digestOf, startFront, ways, type Echo } from '../support/front.ts'
import { LogLines } from '../support/log-lines.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'

const lanes = ['raw', 'full'] as const

/** In every position, hooks that take their time. */
function slowly(app: FastifyInstance, happened: string[]): void {
  const noted = (name: string) => async () => {
    await nextTurn()
    happened.push(name)
  }
  app.addHook('onRequest', noted('onRequest'))
  app.addHook('preParsing', async (_request, _reply, payload) => {
    await noted('preParsing')()
    return payload
  })
  app.addHook('preValidation', noted('preValidation'))
  app.addHook('preHandler', noted('preHandler'))
  app.addHook('onResponse', noted('onResponse'))
}

const questions: Record<string, () => Question> = {
  GET: () => ({}),
  'POST with a short body': () => ({ method: 'POST', body: 'hello' }),
  'POST with a streamed body': () => ({ method: 'POST', body: Readable.from(['hello', ' world']) }),
  'PUT with a large body': () => ({ method: 'PUT', body: 'large '.repeat(500_000) }),
}

for (const way of ways)
  for (const lane of lanes)
    for (const [what, question] of Object.entries(questions))
      test(`${what}: every hook of the app runs once, in order, ${lane} lane, ${way}`, async (t) => {
        const happened: string[] = []
        const front = await startFront(t, { way, before: (app) => slowly(app, happened), balancer: { lane } })
        const { status, body } = await ask(front.url, question())
        assert.equal(status, 200)
        const { body: sent = '' } = question()
        const whole = sent instanceof Readable ? (await sent.toArray()).join('') : sent
        assert.equal((JSON.parse(body) as Echo).digest, digestOf(whole))
        await until('the response has been noted', () => happened.includes('onResponse'))
        await until('it has ended', () => front.log.exchanges.length === 1)
        assert.deepEqual(happened, ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onResponse'])
      })

for (const lane of lanes)
  test(`onResponse sees the status that went out, and the time, ${lane} lane`, async (t) => {
    const seen: [number, boolean][] = []
    const front = await startFront(t, {
      before: (app) =>
        app.addHook('onResponse', async (_request, reply) => {
          seen.push([reply.statusCode, reply.elapsedTime > 0])
        }),
      balancer: { lane },
      listener: ({ url }, response) => response.writeHead(Number(url!.slice(1))).end(),
    })
    const statuses = [200, 201, 204, 301, 304, 404, 500, 503]
    for (const status of statuses) assert.equal((await ask(`${front.url}/${status}`)).status, status)
    await until('all have been seen', () => seen.length === statuses.length)
    assert.deepEqual(
      seen,
      statuses.map((status) => [status, true]),
    )
  })

for (const lane of lanes) {
  test(`what the app has set wins over what the backend says; lists are joined, ${lane} lane`, async (t) => {
    const front = await startFront(t, {
      before: (app) =>
        app.addHook('onRequest', async (_request, reply) => {
          reply.code(418)
          reply.headers({
            'cache-control': 'no-store',
            'X-Served-By': 'the app',
            vary: 'Origin',
            link: '</app>; rel=preload',
            'server-timing': 'app;dur=1',
            'x-number': 7,
          })
        }),
      balancer: { lane },
      listener: (_request, response) => {
        response.writeHead(201, {
          'Cache-Control': 'public',
          'x-served-by': 'the backend',
          'X-Number': '8',
          'x-only': 'the backend',
          Vary: ['Accept', 'Cookie'],
          Link: '</backend>; rel=preload',
          'Server-Timing': 'db;dur=2',
        })
        response.end('hello')
      },
    })
    const { status, headers } = await ask(front.url)
    assert.equal(status, 201)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-served-by'], 'the app')
    assert.equal(headers['x-number'], '7')
    assert.equal(headers['x-only'], 'the backend')
    const listed = (name: string) => String(headers[name]).split(', ').sort()
    assert.deepEqual(listed('vary'), ['Accept', 'Cookie', 'Origin'])
    assert.deepEqual(listed('link'), ['</app>; rel=preload', '</backend>; rel=preload'])
    assert.deepEqual(listed('server-timing'), ['app;dur=1', 'db;dur=2'])
  })

  test(`what the app sets on the bare response goes out as well, ${lane} lane`, async (t) => {
    const front = await startFront(t, {
      before: (app) =>
        app.addHook('onRequest', async (_request, reply) => {
          reply.raw.setHeader('X-Bare', 'the app')
          reply.raw.setHeader('Set-Cookie', 'bare=1')
        }),
      balancer: { lane },
      listener: (_request, response) => {
        response.setHeader('x-bare', 'the backend')
        response.setHeader('set-cookie', ['one=1', 'two=2'])
        response.end('hello')
      },
    })
    const { headers, body } = await ask(front.url)
    assert.equal(headers['x-bare'], 'the app')
    assert.deepEqual((headers['set-cookie'] as string[]).toSorted(), ['bare=1', 'one=1', 'two=2'])
    assert.equal(body, 'hello')
  })
}

const answered = { 'content-type': 'text/plain' }

for (const way of ways) {
  test(`an onSend hook that gives another text: the client gets that, of the right length, ${way}`, async (t) => {
    const front = await startFront(t, {
      way,
      before: (app) =>
        app.addHook('onSend', async (_request, reply, payload) => {
          reply.header('x-changed', 'yes')
          return `${String(payload)} and more`
        }),
      listener: (_request, response) => response.writeHead(200, { ...answered, 'content-length': 5 }).end('hello'),
    })
    const { headers, body, whole } = await ask(front.url)
    assert.deepEqual(
      [body, headers['content-length'], headers['x-changed'], whole],
      ['hello and more', '14', 'yes', true],
    )
  })

  test(`an onSend hook that changes a stream on its way, ${way}`, async (t) => {
    const chunks = Array.from({ length: 40 }, (_, index) => `${index} `.repeat(5_000))
    const front = await startFront(t, {
      way,
      before: (app) =>
        app.addHook('onSend', (_request, reply, payload, done) => {
          reply.removeHeader('content-length')
          const upper = new Transform({
            transform: (chunk: Buffer, _encoding, next) => next(null, chunk.toString().replaceAll(' ', '-')),
          })
          done(null, (payload as Readable).pipe(upper))
        }),
      listener: (_request, response) => {
        response.writeHead(200, { ...answered, 'content-length': chunks.join('').length })
        Readable.from(chunks).pipe(response)
      },
    })
    const { body, whole } = await ask(front.url)
    assert.ok(whole)
    assert.ok(body === chunks.join('').replaceAll(' ', '-'))
  })

  test(`an onSend hook that throws: the app's error answers, and the backend is let go, ${way}`, async (t) => {
    const front = await startFront(t, {
      way,
      before: (app) =>
        app.addHook('onSend', async (_request, _reply, payload) => {
          if (typeof (payload as Readable).pipe === 'function')
            throw Object.assign(new Error('no'), { statusCode: 451 })
          return payload
        }),
      listener: (_request, response) => {
        response.writeHead(200, answered)
        Readable.from(
          (function* () {
            for (;;) yield 'endless '.repeat(1_000)
          })(),
        ).pipe(response)
      },
    })
    const { status, body } = await ask(front.url)
    assert.deepEqual([status, (JSON.parse(body) as Error).message], [451, 'no'])
    await until('the backend is let go', () => front.balancer.backends[0]!.inFlight === 0)
    await until('it has ended', () => front.balancer.exchanges === 0)
  })

  test(`an onSend hook does not hold back the headers of a response whose body comes later, ${way}`, async (t) => {
    let stream: ServerResponse | undefined
    const front = await startFront(t, {
      way,
      before: (app) => app.addHook('onSend', async (_request, _reply, payload) => payload),
      listener: (_request, response) => {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
        stream.flushHeaders()
      },
    })
    const asked = askNode(front.url, { agent: false }).end()
    asked.on('error', () => {})
    t.after(() => asked.destroy())
    const [answer] = (await once(asked, 'response', { signal: AbortSignal.timeout(60_000) })) as [IncomingMessage]
    assert.equal(answer.headers['content-type'], 'text/event-stream')
    stream!.end('data: 1\n\n')
    assert.equal(String((await answer.toArray())[0]), 'data: 1\n\n')
  })
}

test('HEAD of a GET route of the app that calls reply.forward(): the length is the one the backend names', async (t) => {
  const front = await startFront(t, {
    before: (app) => app.get('/file', (_request, reply) => reply.forward()),
    listener: ({ method }, response) =>
      response
        .writeHead(200, { ...answered, 'content-length': 5_000, etag: '"1"' })
        .end(method === 'HEAD' ? undefined : 'x'.repeat(5_000)),
  })
  const { status, headers, body } = await ask(`${front.url}/file`, { method: 'HEAD' })
  assert.deepEqual([status, body, headers.etag, headers['content-length']], [200, '', '"1"', '5000'])
  assert.equal(front.backend.received[0]!.method, 'HEAD')
})

test('a preParsing hook that replaces the body: the backend is told the length that it gets', async (t) => {
  const front = await startFront(t, {
    before: (app) =>
      app.addHook('preParsing', async (_request, _reply, payload) => {
        let text = ''
        for await (const chunk of payload) text += String(chunk)
        return Readable.from([Buffer.from(`<${text}>`)])
      }),
  })
  for (const body of ['hello', 'x'.repeat(200_000)]) {
    const told = JSON.parse((await ask(front.url, { method: 'POST', body })).body) as Echo
    assert.equal(told.digest, digestOf(`<${body}>`))
    assert.ok([undefined, String(told.length)].includes(told.headers['content-length']))
  }
})

test('routes of the app parse and validate as ever; reply.forward() sends on what they have parsed', async (t) => {
  const front = await startFront(t, {
    before: (app) => {
      const schema = { body: { type: 'object', required: ['name'], properties: { size: { default: 1 } } } }
      app.post('/things', { schema }, (_request, reply) => reply.forward())
      app.post('/changed', (request, reply) => {
        ;(request.body as { by?: string }).by = 'the app'
        return reply.forward()
      })
    },
  })
  const headers = { 'content-type': 'application/json' }
  const post = (path: string, body: string) => ask(front.url + path, { method: 'POST', headers, body })
  assert.equal((await post('/things', '{"size":2}')).status, 400)
  assert.equal((await post('/things', '{')).status, 400)
  assert.equal((await post('/things', JSON.stringify({ name: 'x'.repeat(2 << 20) }))).status, 413)
  front.assertUntouched()

  const things = JSON.parse((await post('/things', '{ "name": "a" }')).body) as Echo
  assert.equal(things.digest, digestOf('{"name":"a","size":1}'))
  assert.equal(things.headers['content-length'], String(things.length))
  const changed = JSON.parse((await post('/changed', '{"name":"ä"}')).body) as Echo
  assert.equal(changed.digest, digestOf('{"name":"ä","by":"the app"}'))
  assert.equal(changed.headers['content-type'], 'application/json')
})

test('a form that the app has parsed is not sent on as something that calls itself a form and is none', async (t) => {
  let received = ''
  const front = await startFront(t, {
    before: (app) => {
      app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
        done(null, Object.fromEntries(new URLSearchParams(String(body)))),
      )
      app.post('/form', (_request, reply) => reply.forward())
    },
    listener: async (request, response) => {
      received = Buffer.concat(await request.toArray()).toString()
      response.end()
    },
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { status } = await ask(`${front.url}/form`, { method: 'POST', headers, body: 'name=a+b&size=%C3%A4' })
  assert.equal(status, 200)
  const type = String(front.backend.received[0]!.headers['content-type'])
  const told = type.startsWith('application/json')
    ? (JSON.parse(received) as object)
    : Object.fromEntries(new URLSearchParams(received))
  assert.deepEqual(told, { name: 'a b', size: 'ä' })
})

test('the body of a route that calls reply.forward() from an async handler after a while is all there', async (t) => {
  const front = await startFront(t, {
    way: 'reply.forward()',
    before: (app) => {
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      app.post('/late', async (_request, reply) => {
        for (let turn = 0; turn < 20; turn++) await nextTurn()
        return reply.forward()
      })
    },
  })
  for (const body of ['', 'hello', 'x'.repeat(3 << 20)]) {
    const { status, body: told } = await ask(`${front.url}/late`, { method: 'POST', body })
    assert.deepEqual([status, (JSON.parse(told) as Echo).digest], [200, digestOf(body)])
  }
})

for (const way of ways)
  test(`a client that leaves while a hook is still at work: no backend is asked, and nothing is left behind, ${way}`, async (t) => {
    let arrived: (() => void) | undefined
    let letGo: (() => void) | undefined
    const here = new Promise<void>((resolve) => (arrived = resolve))
    const gate = new Promise<void>((resolve) => (letGo = resolve))
    const gone: Promise<unknown>[] = []
    const front = await startFront(t, {
      way,
      before: (app) =>
        app.addHook('preHandler', async (request, reply) => {
          if (request.url !== '/slow') return
          gone.push(once(reply.raw, 'close'))
          arrived!()
          await gate
        }),
    })
    const client = await rawClient(t, front.port)
    client.send('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n')
    await here
    client.socket.destroy()
    await gone[0]
    letGo!()
    assert.equal((await ask(`${front.url}/other`)).status, 200)
    assert.deepEqual(
      front.backend.received.map(({ url }) => url),
      ['/other'],
    )
    await until('both have ended', () => front.balancer.exchanges === 0)
    assert.equal(front.balancer.backends[0]!.inFlight, 0)
  })

test('hooks of the app that answer by themselves: the balancer is not asked', async (t) => {
  const front = await startFront(t, {
    before: (app) => {
      app.addHook('onRequest', async (request, reply) => {
        if (request.url === '/early') await reply.code(202).send('early')
      })
      app.addHook('preHandler', (request, reply, done) => {
        if (request.url === '/late') reply.redirect('/elsewhere')
        else done()
      })
    },
  })
  assert.deepEqual((await ask(`${front.url}/early`)).body, 'early')
  assert.deepEqual((await ask(`${front.url}/late`)).headers.location, '/elsewhere')
  front.assertUntouched()
})

for (const lane of lanes)
  test(`what the app logs and what the balancer logs of one request carry one id, ${lane} lane`, async (t) => {
    const backend = await startBackend(t)
    const log = new LogLines()
    const app = Fastify({ logger: log, genReqId: () => 'the one' })
    app.addHook('onRequest', async (request) => request.log.info('seen by the app'))
    await app.register(balancer, { backends: [backend.url], lane })
    const { url } = await listenApp(t, app)
    assert.equal((await ask(`${url}/thing`)).status, 200)
    await until('it has ended', () => log.exchanges.length === 1)
    const lines = log.all.filter(({ reqId }) => reqId === 'the one').map(({ msg }) => String(msg))
    assert.deepEqual(lines, ['seen by the app', 'forwarded'])
    const [line] = log.exchanges
    assert.deepEqual([line!.status, line!.url, line!.outcome], [200, '/thing', 'ok'])
  })

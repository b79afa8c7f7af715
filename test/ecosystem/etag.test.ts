import compress from '@fastify/compress'
import etag from '@fastify/etag'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront, ways } from '../support/front.ts'
import { until } from '../support/until.ts'

const tagOf = (body: string) => `"${createHash('sha1').update(body).digest('base64')}"`
const text = { 'content-type': 'text/plain' }

for (const way of ways) {
  test(`@fastify/etag: what a backend sends whole gets a tag, and 304 for it, ${way}`, async (t) => {
    const bodies: Record<string, string> = { '/a': 'hello', '/b': 'x'.repeat(60_000), '/c': '' }
    const front = await startFront(t, {
      way,
      before: (app) => app.register(etag),
      listener: ({ url }, response) =>
        response.writeHead(200, { ...text, 'content-length': bodies[url!]!.length }).end(bodies[url!]),
    })
    for (const [path, body] of Object.entries(bodies)) {
      const tag = tagOf(body)
      const first = await ask(front.url + path)
      assert.deepEqual([first.status, first.headers.etag, first.body], [200, tag, body])
      for (const known of [tag, `W/${tag}`]) {
        const again = await ask(front.url + path, { headers: { 'if-none-match': known } })
        assert.deepEqual([again.status, again.headers.etag, again.body, again.whole], [304, tag, '', true])
      }
      const changed = await ask(front.url + path, { headers: { 'if-none-match': '"of another"' } })
      assert.deepEqual([changed.status, changed.body], [200, body])
    }
    const posted = await ask(`${front.url}/a`, { method: 'POST', body: Readable.from(['some']) })
    assert.deepEqual([posted.status, posted.headers.etag], [200, tagOf('hello')])
    assert.equal(front.balancer.backends[0]!.outcomes.ok, front.backend.received.length)
  })

  test(`@fastify/etag makes no tag of a stream, and lets it through whole, ${way}`, async (t) => {
    const body = 'y'.repeat(300_000)
    const front = await startFront(t, {
      way,
      before: (app) => app.register(etag),
      listener: ({ url }, response) => {
        response.writeHead(200, { ...text, ...(url === '/known' && { 'content-length': body.length }) })
        Readable.from(body.match(/.{1,50000}/g)!).pipe(response)
      },
    })
    for (const path of ['/known', '/chunked']) {
      const answer = await ask(front.url + path)
      assert.deepEqual([answer.status, answer.headers.etag, answer.body === body], [200, undefined, true])
    }
  })

  test(`@fastify/etag: the backend's own tag stays, and is good for 304, ${way}`, async (t) => {
    const front = await startFront(t, {
      way,
      before: (app) => app.register(etag),
      listener: (request, response) => {
        if (request.headers['x-look'] !== undefined) response.writeHead(304, { etag: '"its own"' }).end()
        else response.writeHead(200, { ...text, etag: '"its own"' }).end('hello')
      },
    })
    const first = await ask(front.url)
    assert.deepEqual([first.status, first.headers.etag, first.body], [200, '"its own"', 'hello'])
    const known = { 'if-none-match': '"its own"' }
    const byPlugin = await ask(front.url, { headers: known })
    const byBackend = await ask(front.url, { headers: { ...known, 'x-look': '1' } })
    for (const { status, headers, body, whole } of [byPlugin, byBackend])
      assert.deepEqual([status, headers.etag, body, whole], [304, '"its own"', '', true])
    const head = await ask(front.url, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.etag, head.body], [200, '"its own"', ''])
  })
}

test('@fastify/etag: 304 for a download that has only begun lets the backend go', async (t) => {
  let closed: Promise<unknown> | undefined
  const front = await startFront(t, {
    before: (app) => app.register(etag),
    listener: (_request, response) => {
      closed = once(response, 'close')
      response.writeHead(200, { ...text, etag: '"endless"' })
      Readable.from(
        (function* () {
          for (;;) yield 'z'.repeat(10_000)
        })(),
      ).pipe(response)
    },
  })
  const { status, whole } = await ask(front.url, { headers: { 'if-none-match': '"endless"' } })
  assert.deepEqual([status, whole], [304, true])
  await closed
  await until('nothing is in flight', () => front.balancer.backends[0]!.inFlight === 0)
})

test('@fastify/etag without 304s, and with weak tags', async (t) => {
  const front = await startFront(t, {
    before: (app) => app.register(etag, { replyWith304: false, weak: true }),
    listener: (_request, response) => response.writeHead(200, { ...text, 'content-length': 5 }).end('hello'),
  })
  const { status, headers, body } = await ask(front.url, { headers: { 'if-none-match': `W/${tagOf('hello')}` } })
  assert.deepEqual([status, headers.etag, body], [200, `W/${tagOf('hello')}`, 'hello'])
})

test('@fastify/etag with @fastify/compress: one tag, and 304 whatever coding was asked for', async (t) => {
  const body = 'compressible '.repeat(1_000)
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(etag)
      await app.register(compress)
    },
    listener: (_request, response) => response.writeHead(200, { ...text, 'content-length': body.length }).end(body),
  })
  const headers = { 'accept-encoding': 'gzip' }
  const first = await ask(front.url, { headers })
  assert.deepEqual([first.headers['content-encoding'], first.headers.etag], ['gzip', tagOf(body)])
  const again = await ask(front.url, { headers: { ...headers, 'if-none-match': tagOf(body) } })
  assert.deepEqual([again.status, again.body], [304, ''])
})

test('@fastify/etag: a body whose type the backend does not name is given neither a type nor a tag', async (t) => {
  // Fastify would name a type for a Buffer; a stream it leaves alone, and the plugin makes no tag of a stream.
  const front = await startFront(t, {
    before: (app) => app.register(etag),
    listener: (_request, response) => response.writeHead(200, { 'content-length': 5 }).end('hello'),
  })
  const { headers, body } = await ask(front.url)
  assert.deepEqual([body, headers['content-type'], headers.etag], ['hello', undefined, undefined])
})

import { failures, type FailureReason } from '@fastify-balancer/balancer-core'
import compress, { type FastifyCompressOptions } from '@fastify/compress'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as askNode, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { brotliDecompressSync, createGunzip, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { request } from 'undici'
import { ask } from '../support/ask.ts'
import { digestOf, startFront, ways, type Echo, type Front, type FrontOptions } from '../support/front.ts'
import { until } from '../support/until.ts'

const decoders = { br: brotliDecompressSync, gzip: gunzipSync, deflate: inflateSync }
type Coding = keyof typeof decoders

/** Text that is neither random nor one letter, of exactly this length. */
const textOf = (length: number) =>
  Array.from({ length: Math.ceil(length / 16) }, (_, line) => `line ${String(line).padStart(9)} \n`)
    .join('')
    .slice(0, length)

const compressed = (t: TestContext, { plugin, ...options }: FrontOptions & { plugin?: FastifyCompressOptions } = {}) =>
  startFront(t, { ...options, before: (app) => app.register(compress, plugin ?? {}) })

async function bytesOf(front: Front, path: string, headers: Record<string, string>) {
  const answer = await request(front.url + path, { headers })
  return { ...answer, bytes: Buffer.from(await answer.body.arrayBuffer()) }
}

const shapes: Record<string, (body: string) => RequestListener> = {
  'of known length': (body) => (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length }).end(body),
  'in chunks': (body) => (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', vary: 'Origin' })
    Readable.from(body.match(/[^]{1,7000}/g)!).pipe(response)
  },
}

for (const way of ways)
  for (const [shape, respond] of Object.entries(shapes))
    for (const length of [2_000, 60_000, 2 << 20])
      test(`@fastify/compress: a body of ${length} bytes ${shape} decompresses to what the backend sent, ${way}`, async (t) => {
        const body = textOf(length)
        const front = await compressed(t, { way, listener: respond(body) })
        for (const coding of Object.keys(decoders) as Coding[]) {
          const { statusCode, headers, bytes } = await bytesOf(front, '/', { 'accept-encoding': coding })
          assert.deepEqual([statusCode, headers['content-encoding']], [200, coding])
          assert.match(String(headers.vary), shape === 'in chunks' ? /^Origin, accept-encoding$/ : /^accept-encoding$/)
          assert.ok(bytes.length < length)
          assert.equal(decoders[coding](bytes).toString(), body)
          const told = headers['content-length']
          assert.ok(told === undefined || Number(told) === bytes.length)
        }
        const plain = await bytesOf(front, '/', {})
        assert.deepEqual([plain.headers['content-encoding'], plain.bytes.toString()], [undefined, body])
      })

test('@fastify/compress leaves alone what is small, compressed already, partial, of no compressible type, or declined', async (t) => {
  const text = textOf(4_000)
  const zipped = gzipSync(text)
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/small': (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('small'),
    '/zipped': (response) =>
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' }).end(zipped),
    '/part': (response) =>
      response.writeHead(206, { 'content-type': 'text/plain', 'content-range': 'bytes 0-3999/9000' }).end(text),
    '/image': (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(text),
    '/text': (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(text),
  }
  const front = await compressed(t, { listener: ({ url }, response) => answers[url!]!(response) })
  const accept = { 'accept-encoding': 'br' }
  assert.equal((await bytesOf(front, '/small', accept)).bytes.toString(), 'small')
  assert.equal((await bytesOf(front, '/part', accept)).bytes.toString(), text)
  assert.equal((await bytesOf(front, '/image', accept)).bytes.toString(), text)
  assert.equal((await bytesOf(front, '/text', { ...accept, 'x-no-compression': '1' })).bytes.toString(), text)
  const already = await bytesOf(front, '/zipped', accept)
  assert.equal(already.headers['content-encoding'], 'gzip')
  assert.deepEqual(already.bytes, zipped)
  assert.equal((await bytesOf(front, '/text', accept)).headers['content-encoding'], 'br')
})

for (const way of ways)
  test(`@fastify/compress does not hold up server-sent events, nor compress them, ${way}`, async (t) => {
    let stream: ServerResponse | undefined
    const front = await compressed(t, {
      way,
      listener: (_request, response) => {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
        stream.write('data: 1\n\n')
      },
    })
    const asked = askNode(front.url, { agent: false, headers: { 'accept-encoding': 'gzip, br' } }).end()
    t.after(() => asked.destroy())
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    assert.equal(answer.headers['content-encoding'], undefined)
    const events = answer.setEncoding('utf8')[Symbol.asyncIterator]()
    assert.equal((await events.next()).value, 'data: 1\n\n')
    stream!.write('data: 2\n\n')
    assert.equal((await events.next()).value, 'data: 2\n\n')
    stream!.end()
    assert.equal((await events.next()).done, true)
  })

test('@fastify/compress: HEAD has no body; 204 and 304 stay what they are', async (t) => {
  const front = await compressed(t, {
    listener: ({ url, method }, response) => {
      if (url !== '/') response.writeHead(Number(url!.slice(1)), { etag: '"1"' }).end()
      else
        response
          .writeHead(200, { 'content-type': 'text/plain', 'content-length': 5_000 })
          .end(method === 'HEAD' ? undefined : textOf(5_000))
    },
  })
  const headers = { 'accept-encoding': 'gzip' }
  const head = await ask(front.url, { method: 'HEAD', headers })
  assert.deepEqual([head.status, head.body, head.whole], [200, '', true])
  // The length of what was not compressed, or the coding of what would have been: never one with the other.
  assert.ok(
    head.headers['content-encoding'] === undefined
      ? head.headers['content-length'] === '5000'
      : head.headers['content-length'] === undefined,
  )
  for (const status of [204, 304]) {
    const answer = await ask(`${front.url}/${status}`, { headers })
    assert.deepEqual([answer.status, answer.body, answer.headers.etag], [status, '', '"1"'])
    assert.equal(answer.headers['content-encoding'], undefined)
  }
  // The first connection after HEAD is watched for a body for a while; what comes meanwhile may get another.
  assert.ok(front.connections <= 2, String(front.connections))
})

test('@fastify/compress: a body that the backend breaks off never looks whole', async (t) => {
  let cut: (() => void) | undefined
  const front = await compressed(t, {
    listener: (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.write(textOf(1 << 20))
      cut = () => response.destroy()
    },
  })
  const answer = await request(front.url, { headers: { 'accept-encoding': 'gzip' } })
  const body = answer.body.pipe(createGunzip())
  answer.body.on('error', (error) => body.destroy(error))
  await once(body, 'data')
  cut!()
  await assert.rejects(async () => {
    for await (const _ of body);
  })
})

test('@fastify/compress: a client that leaves a compressed download frees the backend', async (t) => {
  let closed: Promise<unknown> | undefined
  const front = await compressed(t, {
    listener: (_request, response) => {
      closed = once(response, 'close')
      response.writeHead(200, { 'content-type': 'text/plain' })
      Readable.from(
        (function* () {
          for (;;) yield textOf(10_000)
        })(),
      ).pipe(response)
    },
  })
  const answer = await request(front.url, { headers: { 'accept-encoding': 'gzip' } })
  await once(answer.body, 'readable')
  answer.body.on('error', () => {}).destroy()
  await closed
  await until(
    'nothing is in flight',
    () => front.balancer.backends[0]!.inFlight === 0 && front.balancer.exchanges === 0,
  )
})

for (const way of ways) {
  for (const kind of ['as one', 'as a stream'])
    for (const length of [5, 2 << 20])
      test(`@fastify/compress takes a gzip'd POST of ${length} bytes apart, ${kind}: the backend is told the truth, ${way}`, async (t) => {
        const front = await compressed(t, { way })
        const body = textOf(length)
        const zipped = gzipSync(body)
        const { status, body: told } = await ask(front.url, {
          method: 'POST',
          headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' },
          body: kind === 'as one' ? zipped : Readable.from([zipped.subarray(0, 9), zipped.subarray(9)]),
        })
        assert.equal(status, 200)
        const received = JSON.parse(told) as Echo
        assert.deepEqual([received.length, received.digest], [length, digestOf(body)])
        assert.equal(received.headers['content-encoding'], undefined)
        assert.equal(received.headers['content-type'], 'text/plain')
        assert.ok(['chunked', undefined].includes(received.headers['transfer-encoding']))
        assert.ok([String(length), undefined].includes(received.headers['content-length']))
      })

  test(`@fastify/compress: a coding that it does not know is refused before a backend is asked, ${way}`, async (t) => {
    const front = await compressed(t, { way })
    const { status, body } = await ask(front.url, {
      method: 'POST',
      headers: { 'content-encoding': 'made-up' },
      body: 'hello',
    })
    assert.deepEqual(
      [status, (JSON.parse(body) as { code: string }).code],
      [415, 'FST_CP_ERR_INVALID_CONTENT_ENCODING'],
    )
    front.assertUntouched()
  })

  test(`@fastify/compress: what cannot be decompressed is the client's fault, ${way}`, async (t) => {
    const front = await compressed(t, { way })
    const { status, body } = await ask(front.url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' },
      body: 'this is not gzip',
    })
    const { code } = JSON.parse(body) as { code: string }
    assert.deepEqual([status, code], [400, 'FST_CP_ERR_INVALID_CONTENT'])
    await until('it has ended', () => front.balancer.exchanges === 0)
    const outcomes = Object.keys(front.balancer.backends[0]!.outcomes) as FailureReason[]
    assert.deepEqual(
      outcomes.filter((outcome) => failures[outcome].blame === 'backend'),
      [],
    )
  })

  // Fastify keeps what a hook makes of such a body to itself, and the hook has taken the body.
  test(`@fastify/compress: a gzip'd body of a GET, which nobody parses, is refused rather than misrepresented, ${way}`, async (t) => {
    const front = await compressed(t, { way, balancer: { timeouts: { idle: 500 } } })
    for (const body of [gzipSync('hello'), gzipSync(randomBytes(3 << 20))]) {
      const { status } = await ask(front.url, {
        method: 'GET',
        headers: { 'content-encoding': 'gzip', 'content-length': body.length },
        body,
      })
      assert.equal(status, 400)
    }
    front.assertUntouched()
  })

  test(`@fastify/compress without decompression: a gzip'd POST goes through as it came, ${way}`, async (t) => {
    const front = await compressed(t, { way, plugin: { globalDecompression: false } })
    const zipped = gzipSync('hello')
    const { body } = await ask(front.url, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: zipped })
    const received = JSON.parse(body) as Echo
    assert.deepEqual([received.headers['content-encoding'], received.digest], ['gzip', digestOf(zipped)])
    assert.equal(received.headers['content-length'], String(zipped.length))
  })
}

test('@fastify/compress on single routes that call reply.forward(): only they are compressed', async (t) => {
  const body = textOf(5_000)
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(compress, { global: false })
      app.get('/compressed', { compress: { threshold: 10 } }, (_request, reply) => reply.forward())
      app.get('/plain', (_request, reply) => reply.forward())
    },
    listener: shapes['of known length']!(body),
  })
  const codings = ['/compressed', '/plain', '/other'].map(
    async (path) => (await bytesOf(front, path, { 'accept-encoding': 'gzip' })).headers['content-encoding'],
  )
  assert.deepEqual(await Promise.all(codings), ['gzip', undefined, undefined])
})

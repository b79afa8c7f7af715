import Fastify from 'fastify'
import balancer from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { createServer, request as askHttp1, type IncomingHttpHeaders, type Server } from 'node:http'
import {
  connect,
  createServer as createHttp2Server,
  type ClientHttp2Session,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { listen, readAll } from '../support/backend.ts'
import { failOnCrash } from './no-crash.ts'
import { exchange, post } from './wire-client.ts'

failOnCrash()

type Pairs = readonly (readonly [name: string, value: string])[]

/** A request as a backend got it. */
interface Seen {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: Pairs
}

/** A response as a client got it. */
interface Got {
  readonly informed: readonly number[]
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: Readonly<Record<string, unknown>>
}

interface Asked {
  readonly method?: string
  readonly path?: string
  readonly fields?: Readonly<Record<string, string>>
  /** Sent one after the other; undefined for no body. */
  readonly chunks?: readonly string[]
  readonly trailers?: Readonly<Record<string, string | string[]>>
  /** The body is sent when it is asked for. */
  readonly waits?: boolean
}

function pairsOf(flat: readonly string[]): Pairs {
  const pairs: [string, string][] = []
  for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index]!.toLowerCase(), flat[index + 1]!])
  return pairs
}

/** Asks over HTTP/1.1. */
function askOne(port: number, { method = 'POST', path = '/', fields = {}, chunks, trailers = {}, waits }: Asked) {
  return new Promise<Got>((resolve, reject) => {
    const informed: number[] = []
    const outgoing = askHttp1({ port, host: '127.0.0.1', method, path, headers: fields, agent: false })
    const send = () => {
      for (const chunk of chunks ?? []) outgoing.write(chunk)
      outgoing.addTrailers(
        Object.entries(trailers).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
      )
      outgoing.end()
    }
    outgoing.on('error', reject)
    outgoing.on('continue', () => {
      informed.push(100)
      send()
    })
    outgoing.on('information', ({ statusCode }) => void (statusCode !== 100 && informed.push(statusCode)))
    outgoing.on('response', (incoming) => {
      void readAll(incoming).then((body) => {
        outgoing.destroy()
        const { statusCode: status = 0, headers } = incoming
        resolve({ informed, status, headers, body, trailers: { ...incoming.trailers } })
      }, reject)
    })
    if (waits === true) outgoing.flushHeaders()
    else if (chunks === undefined) outgoing.end()
    else send()
  })
}

/** Asks over HTTP/2. */
function askTwo(
  session: ClientHttp2Session,
  { method = 'POST', path = '/', fields = {}, chunks, trailers, waits }: Asked,
) {
  return new Promise<Got>((resolve, reject) => {
    const informed: number[] = []
    const head: OutgoingHttpHeaders = { ':method': method, ':path': path, ...fields }
    const stream = session.request(head, { endStream: chunks === undefined, waitForTrailers: trailers !== undefined })
    let received: Readonly<Record<string, unknown>> = {}
    const send = () => {
      for (const chunk of chunks ?? []) stream.write(chunk)
      stream.end()
    }
    stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }))
    stream.on('error', reject)
    stream.on('continue', send)
    stream.on('headers', (headers) => void informed.push(Number(headers[':status'])))
    stream.on('trailers', (headers) => (received = Object.fromEntries(Object.entries(headers))))
    stream.on('response', (headers) => {
      void readAll(stream).then((body) => {
        resolve({ informed, status: Number(headers[':status']), headers, body, trailers: received })
      }, reject)
    })
    if (waits !== true && chunks !== undefined) send()
  })
}

const hint = '</style.css>; rel=preload; as=style'

/** What both kinds of backends do. */
function answer(seen: Seen[]) {
  return (request: Http2ServerRequest, response: Http2ServerResponse) => {
    void readAll(request).then((body) => {
      const { url, method, headers, rawTrailers } = request
      seen.push({ headers, body, trailers: pairsOf(rawTrailers) })
      if (url === '/hint') response.writeEarlyHints({ link: hint })
      if (url === '/plain' || method === 'HEAD') return response.end('plain')
      const isLong = url === '/long'
      response.writeHead(200, { trailer: 'x-sum', ...(isLong && { 'content-length': '4' }) })
      if (url !== '/empty') response.write('body')
      response.addTrailers({ 'x-sum': '7', authorization: 'secret' })
      return response.end()
    })
  }
}

const versions = ['HTTP/1.1', 'HTTP/2'] as const

for (const [from, to] of versions.flatMap((one) => versions.map((other) => [one, other] as const))) {
  describe(`${from} client, ${to} backend`, () => {
    const seen: Seen[] = []
    let backend: Server | Http2Server
    let session: ClientHttp2Session
    let port = 0
    const app = (from === 'HTTP/2' ? Fastify({ http2: true }) : Fastify()) as unknown as ReturnType<typeof Fastify>
    const ask = (asked: Asked) => (from === 'HTTP/2' ? askTwo(session, asked) : askOne(port, asked))
    const chunked: Readonly<Record<string, string>> = from === 'HTTP/2' ? {} : { 'transfer-encoding': 'chunked' }

    before(async () => {
      const listener = answer(seen)
      backend = to === 'HTTP/2' ? createHttp2Server(listener) : createServer(listener as never)
      if (to === 'HTTP/1.1') {
        // Node would ask for the body at once.
        backend.on('checkContinue', (request, response) => {
          asked.push('100-continue')
          response.writeContinue()
          listener(request as never, response as never)
        })
      } else
        (backend as Http2Server).on('checkContinue', (request, response) => {
          asked.push('100-continue')
          response.writeContinue()
          listener(request, response)
        })
      const url = await listen(backend)
      await app.register(balancer, { backends: [{ url, protocol: to === 'HTTP/2' ? 'h2c' : 'http1' }] })
      await app.listen({ port: 0, host: '127.0.0.1' })
      ;({ port } = app.server.address() as AddressInfo)
      if (from === 'HTTP/2') session = connect(`http://127.0.0.1:${port}`)
    })
    after(async () => {
      session?.destroy()
      await app.close()
      await new Promise<void>((resolve) => void backend.close(() => resolve()))
    })
    const asked: string[] = []

    for (const chunks of [['one ', 'two'], []]) {
      test(`request trailers cross, behind ${chunks.length} chunks`, async () => {
        const trailers = { 'x-sum': '12', 'x-list': 'a, b' }
        const got = await ask({ fields: { ...chunked, trailer: 'x-sum, x-list', te: 'trailers' }, chunks, trailers })
        assert.equal(got.status, 200)
        const { headers, body, trailers: came } = seen.pop()!
        assert.deepEqual([body, Object.fromEntries(came)], [chunks.join(''), trailers])
        assert.deepEqual([headers.trailer, headers.te], ['x-sum, x-list', 'trailers'])
        // The next request on that connection is read as it should be.
        assert.equal((await ask({ method: 'GET', path: '/plain' })).body, 'plain')
        assert.deepEqual(seen.pop()!.trailers, [])
      })
    }

    test('fields that must not be trailers do not cross, nor what tells of clients', async () => {
      const trailers = {
        ...{
          authorization: 'secret',
          'content-type': 'text/html',
          'if-match': '"a"',
          cookie: 'a=1',
          range: 'bytes=0-1',
        },
        ...{ 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1', 'x-real-ip': '10.0.0.1', 'x-kept': 'kept' },
        ...(from === 'HTTP/1.1' && { 'x-named': 'hop', 'keep-alive': '1', te: 'trailers', 'proxy-authorization': 'a' }),
      }
      const fields = {
        ...chunked,
        trailer: 'authorization, X-Kept',
        ...(from === 'HTTP/1.1' && { connection: 'x-named' }),
      }
      await ask({ fields, chunks: ['body'], trailers })
      const { headers, trailers: came } = seen.pop()!
      assert.deepEqual(came, [['x-kept', 'kept']])
      assert.equal(headers.trailer, 'X-Kept')
    })

    test('repeated trailers cross, whatever their case', async () => {
      const trailers = from === 'HTTP/1.1' ? { 'X-Own': ['a', 'b'] } : { 'x-own': ['a', 'b'] }
      await ask({ fields: chunked, chunks: ['body'], trailers })
      assert.equal(
        seen
          .pop()!
          .trailers.map(([, value]) => value)
          .join(', '),
        'a, b',
      )
    })

    test('behind a body of known length, only HTTP/2 brings trailers', async (t) => {
      const fields = { 'content-length': '4', trailer: 'x-sum' }
      if (from === 'HTTP/2') await ask({ fields, chunks: ['body'], trailers: { 'x-sum': '4' } })
      else await exchange(t, port, post('body', 'trailer: x-sum'))
      const { headers, body, trailers } = seen.pop()!
      assert.deepEqual(
        [body, headers.trailer, headers['content-length'], trailers],
        from === 'HTTP/2' ? ['body', 'x-sum', undefined, [['x-sum', '4']]] : ['body', undefined, '4', []],
      )
    })

    test('response trailers cross, with a body and without', async () => {
      for (const path of ['/', '/empty']) {
        const { headers, body, trailers } = await ask({ method: 'GET', path, fields: { te: 'trailers' } })
        assert.deepEqual([headers.trailer, body, trailers], ['x-sum', path === '/' ? 'body' : '', { 'x-sum': '7' }])
      }
      const { status, body, trailers } = await ask({ method: 'HEAD' })
      assert.deepEqual([status, body, trailers], [200, '', {}])
    })

    if (to === 'HTTP/2') {
      test('response trailers cross behind a body of known length, which HTTP/2 allows', async () => {
        const { headers, body, trailers } = await ask({ method: 'GET', path: '/long' })
        assert.deepEqual([headers.trailer, body, trailers], ['x-sum', 'body', { 'x-sum': '7' }])
      })
    }

    test('103 Early Hints cross', async () => {
      const { informed, status } = await ask({ method: 'GET', path: '/hint' })
      assert.deepEqual([informed, status], [[103], 200])
    })

    test('100-continue crosses: the body is sent when the backend has asked for it, with its trailers', async () => {
      for (const fields of [chunked, { 'content-length': '4' }]) {
        const trailers = fields === chunked ? { 'x-sum': '4' } : {}
        asked.length = 0
        const got = await ask({
          fields: { ...fields, expect: '100-continue' },
          chunks: ['body'],
          trailers,
          waits: true,
        })
        assert.deepEqual([got.informed, got.status], [[100], 200])
        const { headers, body, trailers: came } = seen.pop()!
        assert.deepEqual([asked, headers.expect, body], [['100-continue'], '100-continue', 'body'])
        assert.deepEqual(Object.fromEntries(came), trailers)
      }
    })

    test('any other expectation is refused, and not forwarded', async () => {
      seen.length = 0
      const got = await ask({ fields: { expect: 'more' }, chunks: [] })
      assert.deepEqual([got.status, seen.length], [417, 0])
    })
  })
}

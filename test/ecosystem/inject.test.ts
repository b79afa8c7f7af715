import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { startBackend, type TestBackend } from '../support/backend.ts'
import { digestOf, echo, ways, type Echo, type Way } from '../support/front.ts'
import { until } from '../support/until.ts'

/** An app that does not listen. */
async function injectable(t: TestContext, lane: 'raw' | 'full', way: Way, listener?: RequestListener) {
  const backend: TestBackend = await startBackend(t, listener ?? ((request, response) => void echo(request, response)))
  const app = Fastify()
  t.after(() => app.close())
  const route = way === ways[0]
  await app.register(balancer, { backends: [backend.url], lane, route })
  if (!route) {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    app.all('/*', (_request, reply) => reply.forward())
  }
  return { app, backend }
}

for (const way of ways)
  for (const lane of ['raw', 'full'] as const) {
    const title = (what: string) => `app.inject(): ${what}, ${lane} lane, ${way}`

    test(title('GET, with status, fields and body'), async (t) => {
      const { app, backend } = await injectable(t, lane, way, (_request, response) => {
        response.writeHead(203, { 'content-type': 'text/plain', 'x-of': 'the backend', 'set-cookie': ['a=1', 'b=2'] })
        response.end('hello')
      })
      const answer = await app.inject({ url: '/thing?x=1', headers: { 'x-of': 'the client' } })
      assert.deepEqual([answer.statusCode, answer.body], [203, 'hello'])
      assert.equal(answer.headers['x-of'], 'the backend')
      assert.equal(answer.headers['content-type'], 'text/plain')
      assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
      assert.deepEqual([backend.received[0]!.url, backend.received[0]!.headers['x-of']], ['/thing?x=1', 'the client'])
      await until('it has ended', () => app.balancer.exchanges === 0)
      assert.equal(app.balancer.backends[0]!.outcomes.ok, 1)
    })

    test(title('POST with a payload of every kind'), async (t) => {
      const { app } = await injectable(t, lane, way)
      const object = await app.inject({ method: 'POST', url: '/', payload: { name: 'ä' } })
      assert.equal(object.statusCode, 200)
      const told = object.json<Echo>()
      assert.deepEqual([told.method, told.digest], ['POST', digestOf('{"name":"ä"}')])
      assert.equal(told.headers['content-type'], 'application/json')
      assert.equal(told.headers['content-length'], String(told.length))

      for (const body of ['', 'hello', 'x'.repeat(1 << 20)]) {
        const text = await app.inject({ method: 'PUT', url: '/', payload: body })
        assert.deepEqual([text.statusCode, text.json<Echo>().digest], [200, digestOf(body)])
      }
    })

    // Such a request has a body and says nothing of its length, as one over HTTP/2 may.
    test(title('POST with a stream'), async (t) => {
      const { app } = await injectable(t, lane, way)
      for (const headers of [{ 'content-type': 'text/plain' }, { 'transfer-encoding': 'chunked' }]) {
        const payload = Readable.from(['one ', 'two'])
        const answer = await app.inject({ method: 'POST', url: '/', payload, headers })
        assert.deepEqual([answer.statusCode, answer.json<Echo>().digest], [200, digestOf('one two')])
      }
      const payload = new FormData()
      payload.set('name', 'value')
      const form = await app.inject({ method: 'POST', url: '/', payload: payload as never })
      assert.equal(form.statusCode, 200)
      assert.match(String(form.json<Echo>().headers['content-type']), /^multipart\/form-data; boundary=/)
      assert.ok(form.json<Echo>().length > 0)
    })

    test(title('HEAD, and a status without a body'), async (t) => {
      const { app } = await injectable(t, lane, way, ({ method }, response) =>
        method === 'HEAD' ? response.writeHead(200, { 'x-of': 'HEAD' }).end() : response.writeHead(204).end(),
      )
      const head = await app.inject({ method: 'HEAD', url: '/' })
      assert.deepEqual([head.statusCode, head.headers['x-of'], head.body], [200, 'HEAD', ''])
      const none = await app.inject({ method: 'DELETE', url: '/' })
      assert.deepEqual([none.statusCode, none.body], [204, ''])
    })

    test(title('a large answer, of known length and in chunks'), async (t) => {
      const body = 'large '.repeat(200_000)
      const { app } = await injectable(t, lane, way, ({ url }, response) => {
        if (url === '/known') response.setHeader('content-length', body.length)
        Readable.from(body.match(/.{1,60000}/g)!).pipe(response)
      })
      for (const url of ['/known', '/chunked']) {
        const answer = await app.inject(url)
        assert.ok(answer.body === body)
      }
    })

    test(title('a failure'), async (t) => {
      const { app, backend } = await injectable(t, lane, way)
      await backend.stop()
      const answer = await app.inject('/')
      assert.deepEqual([answer.statusCode, answer.json<{ code: string }>().code], [502, 'FST_BALANCER_CONNECT_REFUSED'])
      await until('it has ended', () => app.balancer.exchanges === 0)
    })

    test(title('as a stream, chunk by chunk'), async (t) => {
      const { app } = await injectable(t, lane, way, (_request, response) => {
        response.write('one ')
        response.end('two')
      })
      const answer = await app.inject({ url: '/', payloadAsStream: true })
      assert.equal(answer.statusCode, 200)
      assert.equal(Buffer.concat(await answer.stream().toArray()).toString(), 'one two')
      await until('it has ended', () => app.balancer.exchanges === 0)
      assert.equal(app.balancer.backends[0]!.outcomes.ok, 1)
    })
  }

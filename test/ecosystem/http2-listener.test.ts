import balancer from '@fastify-balancer/balancer-core'
import etag from '@fastify/etag'
import helmet from '@fastify/helmet'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { digestOf, echo, type Echo } from '../support/front.ts'

/** Asks over HTTP/2; the body goes out in as many frames as there are chunks, and says nothing of its length. */
async function askOver(session: ClientHttp2Session, headers: Record<string, string>, chunks: string[]) {
  const stream = session.request(headers, { endStream: chunks.length === 0 })
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  const body = Buffer.concat(await stream.toArray()).toString()
  return { status: answered[':status'], headers: answered, body }
}

for (const lane of ['raw', 'full'] as const)
  test(`an app that listens for HTTP/2, with its plugins: bodies go through whole, ${lane} lane`, async (t) => {
    const backend = await startBackend(t, (request, response) => void echo(request, response))
    const app = Fastify({ http2: true })
    await app.register(helmet)
    if (lane === 'full') await app.register(etag)
    await app.register(balancer, { backends: [backend.url] })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const session = connect(url)
    t.after(async () => {
      session.destroy()
      await app.close()
    })
    for (const [headers, chunks] of [
      [{}, []],
      [{ 'content-type': 'text/plain', 'content-length': '5' }, ['hello']],
      [{ 'content-type': 'text/plain' }, ['hello', ' world']],
      [{}, ['hello', ' world']],
    ] as [Record<string, string>, string[]][]) {
      const answer = await askOver(session, { ':method': 'POST', ':path': '/', ...headers }, chunks)
      assert.equal(answer.status, 200)
      assert.equal((JSON.parse(answer.body) as Echo).digest, digestOf(chunks.join('')))
      assert.equal(answer.headers['x-frame-options'], 'SAMEORIGIN')
      assert.equal(answer.headers.etag !== undefined, lane === 'full')
    }
  })

import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { valuesOf } from './wire-message.ts'

failOnCrash()

async function start(t: TestContext) {
  const backend = await startWireBackend(t)
  const app = Fastify({ http2: true })
  await app.register(balancer, { backends: [backend.url] })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = (app as unknown as FastifyInstance).server.address() as AddressInfo
  const session = connect(`http://127.0.0.1:${port}`)
  t.after(async () => {
    session.destroy()
    await app.close()
  })
  return { backend, session }
}

/** Asks with exactly these fields, beside a method; what Node itself refuses counts as 400. */
async function ask(session: ClientHttp2Session, fields: Record<string, string | string[]>): Promise<number> {
  const stream = session.request({ ':method': 'GET', ':scheme': 'http', ':path': '/', ...fields })
  stream.end()
  try {
    const [{ ':status': status }] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
    stream.resume()
    await once(stream, 'close')
    return status
  } catch (error) {
    assert.match(String(error), /NGHTTP2_PROTOCOL_ERROR/)
    return 400
  }
}

test('the host is :authority, and one beside it must be the same', async (t) => {
  const { backend, session } = await start(t)
  assert.equal(await ask(session, { ':authority': 'a.example' }), 200)
  assert.equal(await ask(session, { ':authority': 'a.example', host: 'A.EXAMPLE:80' }), 200)
  for (const request of backend.requests) {
    assert.deepEqual(
      valuesOf(request, 'host').map((host) => host.toLowerCase().replace(':80', '')),
      ['a.example'],
    )
    assert.equal(valuesOf(request, 'x-forwarded-host').length, 1)
  }
  assert.equal(await ask(session, { ':authority': 'a.example', host: 'b.example' }), 400)
  assert.equal(await ask(session, { ':authority': 'a.example', host: '' }), 400)
  assert.equal(await ask(session, { ':authority': 'a.example', host: 'a.example:81' }), 400)
  for (const authority of ['user@a.example', 'a b', 'a/../b?c', 'a:b:c', 'http://a', '[::1', 'a:65536'])
    for (const method of ['GET', 'OPTIONS'])
      assert.equal(
        await ask(session, { ':method': method, ':path': method === 'GET' ? '/' : '*', ':authority': authority }),
        400,
        authority,
      )
  assert.equal(backend.requests.length, 2)
})

test('cookies that came in several fields are one field', async (t) => {
  const { backend, session } = await start(t)
  assert.equal(await ask(session, { ':authority': 'a', cookie: ['a=1', 'b=2; c=3', 'd='] }), 200)
  assert.equal(await ask(session, { ':authority': 'a', cookie: 'a=1' }), 200)
  assert.equal(await ask(session, { ':authority': 'a' }), 200)
  assert.deepEqual(
    backend.requests.map((request) => valuesOf(request, 'cookie')),
    [['a=1; b=2; c=3; d='], ['a=1'], []],
  )
})

test('OPTIONS * asks of the whole server', async (t) => {
  const { backend, session } = await start(t)
  assert.equal(await ask(session, { ':method': 'OPTIONS', ':path': '*', ':authority': 'a.example:8080' }), 200)
  assert.equal(backend.requests[0]?.start, 'OPTIONS http://a.example:8080 HTTP/1.1')
  assert.deepEqual(valuesOf(backend.requests[0], 'host'), ['a.example:8080'])
  assert.equal(await ask(session, { ':method': 'GET', ':path': '*', ':authority': 'a.example' }), 400)
})

test('paths are judged as those of HTTP/1.1', async (t) => {
  const { backend, session } = await start(t)
  for (const path of ['/x/../y', '/%2e%2e/y', '/x y', '/x#y', '//x', '/x%2fy'])
    assert.equal(await ask(session, { ':path': path, ':authority': 'a' }), /\.|%2e|[ #]/.test(path) ? 400 : 200, path)
  assert.equal(backend.requests.length, 2)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { test, type TestContext } from 'node:test'
import Fastify, { type FastifyServerOptions } from 'fastify'
import balancer from '@fastify-balancer/balancer-core'
import { failOnCrash } from '../../conformance/no-crash.ts'
import { ask } from '../../support/ask.ts'
import { listenApp } from '../../support/app.ts'
import { startBackend } from '../../support/backend.ts'

failOnCrash()

const bytes = (flag: number, text: string) =>
  Buffer.concat([Buffer.from([flag, 0, 0, 0, text.length]), Buffer.from(text)])

/** Answers as a server of gRPC-Web or Connect does: what was asked, then how it ended. */
async function startWebBackend(t: TestContext) {
  return startBackend(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const type = request.headers['content-type']!
      const message = Buffer.concat(chunks)
      const end = type.includes('connect+') ? bytes(2, '{}') : bytes(0x80, 'grpc-status: 0\r\n')
      const isUnary = request.headers['connect-protocol-version'] !== undefined
      response.writeHead(200, { 'content-type': type, 'x-encoding': request.headers['grpc-accept-encoding'] ?? 'none' })
      response.write(message)
      setImmediate(() => response.end(isUnary ? undefined : end))
    })
  })
}

const kinds: [type: string, headers: Record<string, string>, message: Buffer, ends: string][] = [
  [
    'application/grpc-web+proto',
    { 'grpc-accept-encoding': 'gzip', 'x-grpc-web': '1' },
    bytes(0, 'hello'),
    'grpc-status: 0\r\n',
  ],
  ['application/grpc-web-text', { 'x-grpc-web': '1' }, Buffer.from('AAAAAAVoZWxsbw=='), 'grpc-status: 0\r\n'],
  ['application/connect+json', { 'connect-protocol-version': '1' }, bytes(0, '{"a":1}'), ''],
  ['application/json', { 'connect-protocol-version': '1' }, Buffer.from('{"a":1}'), '{"a":1}'],
  ['application/proto', { 'connect-protocol-version': '1' }, Buffer.from([8, 1]), '\u0001'],
]

for (const http2 of [false, true])
  test(`gRPC-Web and Connect pass as they are to backends of HTTP/1.1, over ${http2 ? 'HTTP/2' : 'HTTP/1.1'}`, async (t) => {
    const backend = await startWebBackend(t)
    const app = Fastify({ http2 } as unknown as FastifyServerOptions)
    await app.register(balancer, { backends: [backend.url] })
    const { url } = await listenApp(t, app)
    for (const [type, headers, message, ends] of kinds) {
      // oxlint-disable no-await-in-loop -- one after the other
      let answered: { status: number; headers: IncomingHttpHeaders; body: string }
      if (http2) {
        const session = connect(url)
        const stream = session.request({ ':method': 'POST', 'content-type': type, ...headers })
        stream.end(message)
        const [received] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
        const body = Buffer.concat((await stream.toArray()) as Buffer[]).toString('latin1')
        answered = { status: received[':status'], headers: received, body }
        session.destroy()
      } else
        answered = await ask(url, {
          method: 'POST',
          headers: { 'content-type': type, ...headers },
          body: message.toString('latin1'),
        })
      // oxlint-enable no-await-in-loop
      assert.deepEqual([answered.status, answered.headers['content-type']], [200, type])
      assert.ok(answered.body.startsWith(message.toString('latin1')), type)
      assert.ok(answered.body.endsWith(ends), type)
      assert.equal(answered.headers['x-encoding'], headers['grpc-accept-encoding'] ?? 'none')
      assert.equal(backend.received.at(-1)!.headers['x-grpc-web'], headers['x-grpc-web'])
    }
    assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: kinds.length })
  })

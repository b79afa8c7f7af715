import healthCheck, { type HealthCheckOptions } from '@fastify-balancer/health-check'
import { status } from '@grpc/grpc-js'
import assert from 'node:assert/strict'
import { createSecureServer, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { test, type TestContext } from 'node:test'
import { failOnCrash } from '../../conformance/no-crash.ts'
import { listen } from '../../support/backend.ts'
import { localhost } from '../../support/certificates.ts'
import { startGrpcApp, startGrpcBackend } from '../../support/grpc.ts'
import { startPythonBackend, withoutPython } from '../../support/grpc-python.ts'

failOnCrash()

/** What the first probe of a backend said. */
async function probed(t: TestContext, url: string, options: HealthCheckOptions, tls = false): Promise<string> {
  const { app } = await startGrpcApp(t, {
    backends: [{ url, id: 'one' }],
    tls,
    after: (instance) => instance.register(healthCheck, { expect: {}, ...options }),
  })
  const { good, received } = app.healthCheck.of('one').active!.lastProbe!
  return `${good ? 'good' : 'bad'}: ${received}`
}

/** A backend that answers the probes of `grpc.health.v1` like this, as bytes. */
async function startHealth(
  t: TestContext,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  tls = false,
): Promise<string> {
  const server = tls ? createSecureServer({ ...localhost }) : createServer()
  server.on('session', (session) => t.after(() => session.destroy()))
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    answer(stream, headers)
  })
  t.after(() => server.close())
  const url = await listen(server)
  return tls ? url.replace('http://127.0.0.1', 'https://localhost') : url
}

/** Serves this status of `HealthCheckResponse`. */
const serving = (value: Buffer) => (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, value.length]), value]))
}

const failing = (code: string, message: string) => (stream: ServerHttp2Stream) => {
  const headers = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code, 'grpc-message': message }
  stream.respond(headers, { endStream: true })
}

test('what a backend says of its health, in words', async (t) => {
  const answers: [answer: (stream: ServerHttp2Stream) => void, words: string, service?: string][] = [
    [serving(Buffer.from([8, 1])), 'good: SERVING'],
    [serving(Buffer.from([8, 1])), "good: SERVING for 'shop.Cart'", 'shop.Cart'],
    [serving(Buffer.from([8, 2])), 'bad: NOT_SERVING'],
    [serving(Buffer.from([8, 3])), "bad: SERVICE_UNKNOWN for 'shop.Cart'", 'shop.Cart'],
    [serving(Buffer.alloc(0)), 'bad: UNKNOWN'],
    [serving(Buffer.from('<html>')), 'bad: an answer that is not of grpc.health.v1'],
    [failing('12', ''), 'bad: UNIMPLEMENTED: the backend has no grpc.health.v1'],
    [failing('5', ''), "bad: NOT_FOUND: the backend knows no service for 'shop.Cart'", 'shop.Cart'],
    [failing('14', 'starting'), 'bad: grpc-status 14: starting'],
    [(stream) => stream.respond({ ':status': 404 }, { endStream: true }), 'bad: HTTP 404, not gRPC'],
    [
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' })
        stream.end('<html>')
      },
      'bad: HTTP 200 with text/html, not gRPC',
    ],
    [
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
        stream.end()
      },
      'bad: no grpc-status',
    ],
  ]
  await Promise.all(
    answers.map(async ([answer, words, service = '']) => {
      const url = await startHealth(t, answer)
      assert.equal(await probed(t, url, { type: 'grpc', service }), words)
    }),
  )
})

test('the probe is a call as gRPC writes it, over TLS, too', async (t) => {
  for (const tls of [false, true]) {
    const seen: IncomingHttpHeaders[] = []
    let body = Buffer.alloc(0)
    // oxlint-disable no-await-in-loop -- one after the other
    const url = await startHealth(
      t,
      (stream, headers) => {
        seen.push(headers)
        stream.on('data', (chunk: Buffer) => (body = Buffer.concat([body, chunk])))
        stream.on('end', () => serving(Buffer.from([8, 1]))(stream))
      },
      tls,
    )
    assert.equal(
      await probed(t, url, { type: 'grpc', service: 'a.B', headers: { 'x-own': 'kept' } }, tls),
      "good: SERVING for 'a.B'",
    )
    // oxlint-enable no-await-in-loop
    const { ':method': method, ':path': path, 'content-type': type, te, 'x-own': own } = seen[0]!
    assert.deepEqual(
      [method, path, type, te, own],
      ['POST', '/grpc.health.v1.Health/Check', 'application/grpc', 'trailers', 'kept'],
    )
    assert.deepEqual(body, Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x2e, 0x42]))
  }
})

test('servers of grpc-js without the service say so, and pass the default probe', async (t) => {
  const { url } = await startGrpcBackend(t)
  assert.match(await probed(t, url, { type: 'grpc' }), /^bad: UNIMPLEMENTED: the backend has no grpc\.health\.v1$/)
  assert.match(await probed(t, url, {}), /^good: HTTP /)
  assert.equal(status.UNIMPLEMENTED, 12)
})

test('and so do those in C', { skip: withoutPython }, async (t) => {
  const url = await startPythonBackend(t)
  assert.match(await probed(t, url, { type: 'grpc' }), /^bad: UNIMPLEMENTED/)
  assert.match(await probed(t, url, {}), /^good: HTTP /)
})

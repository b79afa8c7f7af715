import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { request } from 'undici'
import { listenApp } from '../support/app.ts'
import { startRawBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { wireClient } from './wire-client.ts'
import { readMessage } from './wire-message.ts'

failOnCrash()

const size = 16 * 1024 * 1024
const refusal = 'HTTP/1.1 413 X\r\ncontent-length: 8\r\n\r\ntoo much'

interface Case {
  readonly status: number
  readonly options?: BalancerOptions
  readonly target?: string
  /** Fields that the request has, beside Host and its length. */
  readonly fields?: string
}

const refusing = (t: TestContext) =>
  startWireBackend(t, () => {}, { onHead: (_head, connection) => connection.send(refusal) }).then(({ url }) => url)
const resetting = (t: TestContext) =>
  startRawBackend(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))

/** Who answers before the upload has ended. */
const answers: Record<string, (t: TestContext) => Promise<Case>> = {
  'a backend, over the raw lane': async (t) => ({
    status: 413,
    options: { backends: [await refusing(t)], lane: 'raw' },
  }),
  'a backend, over the full lane': async (t) => ({
    status: 413,
    options: { backends: [await refusing(t)], lane: 'full' },
  }),
  'a backend that the app asks': async (t) => ({
    status: 413,
    options: { backends: [await refusing(t)] },
    target: '/stream/forward',
  }),
  'the balancer, for want of a backend': async () => ({ status: 503 }),
  'the balancer, for a backend that breaks off': async (t) => ({
    status: 502,
    options: { backends: [await resetting(t)] },
  }),
  'the balancer, for what is malformed': async () => ({ status: 400, target: '/a#b' }),
  'a parser of the app': async () => ({ status: 413, target: '/own' }),
}

async function start(t: TestContext, options: BalancerOptions = {}) {
  const app = Fastify({ bodyLimit: 1000 })
  app.post('/own', async () => 'own')
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.post('/stream/forward', (_request, reply) => reply.forward())
  })
  await app.register(balancer, options)
  return listenApp(t, app)
}

function head(target: string, length = size): string {
  const fields = `host: a.example\r\ncontent-type: text/plain\r\ncontent-length: ${length}`
  return `POST ${target} HTTP/1.1\r\n${fields}\r\n\r\n`
}

/** Writes all of it and only then begins to read; answers what came, and what broke the connection. */
async function writeThenRead(t: TestContext, port: number, bytes: Buffer): Promise<{ text: string; error?: Error }> {
  const socket = connect({ port, host: '127.0.0.1' })
  t.after(() => socket.destroy())
  let error: Error | undefined
  socket.on('error', (cause) => void (error = cause))
  socket.pause()
  await once(socket, 'connect')
  await new Promise<void>((resolve) => void socket.write(bytes, () => resolve()))
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => void (text += chunk))
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
  return { text, ...(error !== undefined && { error }) }
}

describe('an answer to a client that goes on sending', () => {
  for (const [name, prepare] of Object.entries(answers)) {
    test(`reaches it whole: ${name}`, async (t) => {
      const { status, options, target = '/' } = await prepare(t)
      const { port } = await start(t, options)
      const bytes = Buffer.concat([Buffer.from(head(target)), Buffer.alloc(size, 'x')])
      for (let count = 0; count < 3; count++) {
        const { text, error } = await writeThenRead(t, port, bytes)
        assert.equal(error, undefined)
        const response = readMessage(text, { closed: true })
        assert.equal(response?.status, status)
        assert.match(text, /\r\nconnection: close\r\n/i)
        assert.equal(response.size, text.length)
      }
    })
  }

  test('reaches undici', async (t) => {
    const { url } = await start(t, { backends: [await refusing(t)] })
    for (let count = 0; count < 8; count++) {
      const { statusCode, body } = await request(url, { method: 'POST', body: Buffer.alloc(size) })
      assert.equal(statusCode, 413)
      assert.equal(await body.text(), 'too much')
    }
  })
})

test('a client that was answered and goes on sending is not served again', async (t) => {
  const { port } = await start(t)
  const client = await wireClient(t, port)
  client.send(head('/', 100_000))
  assert.equal((await client.response()).status, 503)
  client.send(`${'x'.repeat(100_000)}${head('/own', 2)}ok`)
  assert.equal(await client.closed(), '')
})

test('an app that closes does not wait for those that go on sending', async (t) => {
  const { app, port } = await start(t)
  let accepted: Socket | undefined
  app.server.on('connection', (socket) => void (accepted = socket))
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => client.destroy())
  client.on('error', () => {})
  client.write(head('/'))
  client.resume()
  await once(client, 'end')
  assert.equal(accepted!.destroyed, false)
  const drip = setInterval(() => client.write('x'), 10)
  t.after(() => clearInterval(drip))
  await app.close()
  await until('it was cut', () => accepted!.destroyed)
})

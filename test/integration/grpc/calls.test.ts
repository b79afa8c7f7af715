import { status } from '@grpc/grpc-js'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  connect,
  constants,
  createServer,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { test } from 'node:test'
import { failOnCrash } from '../../conformance/no-crash.ts'
import { listen } from '../../support/backend.ts'
import { callUnary, grpcClient, startGrpcApp, startGrpcBackend, type CallEnd } from '../../support/grpc.ts'
import { unchanged, until } from '../../support/until.ts'

failOnCrash()

const sizeAndCount = (count: number, size: number) => {
  const message = Buffer.alloc(8)
  message.writeUInt32BE(count)
  message.writeUInt32BE(size, 4)
  return message
}
const same = (bytes: Buffer) => bytes
const path = (name: string) => `/test.Echo/${name}`

for (const tls of [false, true])
  for (const lane of ['raw', 'full'] as const)
    test(`each kind of call passes whole: ${tls ? 'TLS' : 'h2c'}, ${lane} lane`, async (t) => {
      const backend = await startGrpcBackend(t, { tls })
      const { app, port, log } = await startGrpcApp(t, { tls, lane, backends: [{ url: backend.url, id: 'one' }] })
      const client = grpcClient(t, port, { tls })

      await t.test('unary, with metadata both ways, text and binary', async () => {
        const bytes = Buffer.from([0, 255, 10, 13, 128])
        const metadata = { 'echo-text': 'a  b, c', 'echo-bin': bytes }
        const end = await callUnary(client, 'hello', { metadata })
        assert.deepEqual([end.code, end.message?.toString()], ['OK', 'hello'])
        assert.deepEqual(end.headers!.get('echo-text'), ['a  b, c'])
        assert.deepEqual(end.trailers.get('echo-bin'), [bytes])
        assert.deepEqual(end.trailers.get('served-by'), ['one'])
        assert.equal(backend.calls.at(-1)!.getPath(), path('Unary'))
      })

      await t.test('an error in headers alone, with its message and metadata', async () => {
        const end = await callUnary(client, 'hello', { metadata: { 'wanted-status': '9' } })
        assert.deepEqual([end.code, end.details], ['FAILED_PRECONDITION', 'kaput: 100 % für immer'])
        assert.deepEqual(end.trailers.get('served-by'), ['one'])
        assert.equal(end.headers, undefined)
        assert.equal(log.exchanges.at(-1)!['grpcStatus'], 'FAILED_PRECONDITION')
        assert.equal(log.exchanges.at(-1)!.outcome, 'ok')
      })

      await t.test('a method that the backend does not have', async () => {
        assert.equal((await callUnary(client, '', { method: path('Nothing') })).code, 'UNIMPLEMENTED')
      })

      await t.test('of a client that streams', async () => {
        const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
          const call = client.makeClientStreamRequest(path('Collect'), same, same, (error, received?: Buffer) =>
            error === null ? resolve(received) : reject(error),
          )
          for (const part of ['a', 'bc', '', 'def']) call.write(Buffer.from(part))
          call.end()
        })
        assert.equal(answer?.toString(), 'abcdef')
      })

      await t.test('of a server that streams more than a paused reader takes', async () => {
        const call = client.makeServerStreamRequest(path('Count'), same, same, sizeAndCount(40, 500_000))
        const received: string[] = []
        call.on('data', (chunk: Buffer) => received.push(`${chunk[0]}: ${chunk.length}`))
        call.once('data', () => call.pause())
        await once(call, 'data')
        const view = app.balancer.backend('one')
        await until(
          'the backend is paused, too',
          unchanged(() => view.bytesReceived),
        )
        // This client's own window is 8 MiB.
        assert.ok(view.bytesReceived < 12_000_000, `${view.bytesReceived} of 20 000 000 bytes are under way`)
        const [ended] = (await once(call.resume(), 'status')) as [{ code: number }]
        assert.equal(ended.code, status.OK)
        assert.deepEqual(
          received,
          Array.from({ length: 40 }, (_, index) => `${index}: 500000`),
        )
      })

      await t.test('both stream: each reply before the next message', async () => {
        const call = client.makeBidiStreamRequest(path('Chat'), same, same)
        for (const part of ['one', 'two', 'three']) {
          call.write(Buffer.from(part))
          const [reply] = (await once(call, 'data')) as [Buffer]
          assert.equal(reply.toString(), part)
        }
        call.end()
        const [ended] = (await once(call.resume(), 'status')) as [{ code: number }]
        assert.equal(ended.code, status.OK)
      })

      await until('all have ended', () => app.balancer.exchanges === 0)
      assert.deepEqual(Object.keys(app.balancer.backend('one').outcomes), ['ok'])
    })

test('a client that cancels, or goes, ends its call at the backend; and a backend that goes, at the client', async (t) => {
  const open: ServerHttp2Stream[] = []
  const codes: number[] = []
  const server = createServer()
  server.on('session', (session) => t.after(() => session.destroy()))
  server.on('stream', (stream: ServerHttp2Stream) => {
    open.push(stream)
    stream.on('error', () => {})
    stream.on('close', () => codes.push(stream.rstCode))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    stream.pipe(stream)
  })
  const url = await listen(server)
  t.after(() => server.close())
  const { app, port, log } = await startGrpcApp(t, { backends: [{ url, id: 'one' }] })

  const chat = async (session: ClientHttp2Session) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/test.Echo/Chat',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.on('error', () => {})
    const trailers = new Promise<IncomingHttpHeaders>((resolve) => stream.on('trailers', resolve))
    stream.write(Buffer.from([0, 0, 0, 0, 1, 7]))
    await once(stream, 'data')
    return { stream, trailers }
  }
  const connected = () => {
    const session = connect(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    t.after(() => session.destroy())
    return session
  }

  const session = connected()
  const { stream } = await chat(session)
  stream.close(constants.NGHTTP2_CANCEL)
  await until('the backend knows', () => codes.length === 1)
  await until('it is logged', () => log.exchanges.length === 1)
  assert.deepEqual([log.exchanges[0]!.outcome, log.exchanges[0]!['grpcStatus']], ['client-gone', 'CANCELLED'])

  const leaving = connected()
  await chat(leaving)
  leaving.destroy()
  await until('the backend knows', () => codes.length === 2)
  assert.deepEqual(codes, [constants.NGHTTP2_CANCEL, constants.NGHTTP2_CANCEL])

  const { trailers } = await chat(session)
  open[2]!.destroy(new Error('cut'))
  const { 'grpc-status': status14, 'grpc-message': message } = await trailers
  assert.deepEqual([status14, message], ['14', 'The backend ended its response too early'])
  session.destroy()
  await until('all have ended', () => app.balancer.exchanges === 0)
  assert.deepEqual(app.balancer.backend('one').outcomes, { 'client-gone': 2, 'body-truncated': 1 })
})

test('calls over one channel are balanced one by one', async (t) => {
  const backends = await Promise.all(['a', 'b', 'c'].map((name) => startGrpcBackend(t, { name })))
  const { port } = await startGrpcApp(t, { backends: backends.map(({ url }) => url) })
  const client = grpcClient(t, port)
  const ends: CallEnd[] = []
  // oxlint-disable-next-line no-await-in-loop -- in turn
  for (let asked = 0; asked < 9; asked++) ends.push(await callUnary(client, ''))
  assert.deepEqual(
    ends.map(({ trailers }) => trailers.get('served-by')[0]),
    'abcabcabc'.split(''),
  )
  await Promise.all(Array.from({ length: 30 }, () => callUnary(client, '')))
  assert.deepEqual(
    backends.map(({ calls }) => calls.length),
    [13, 13, 13],
  )
})

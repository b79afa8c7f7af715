import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { listen, readAll } from '../support/backend.ts'
import { codes, endStream, send, startFrameBackend } from '../support/http2-frames.ts'
import { until } from '../support/until.ts'

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** A backend that speaks HTTP/2 in clear; all of it ends with the test. */
async function startBackend(t: TestContext, answer: Answer) {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer()
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', answer)
  const url = await listen(server)
  t.after(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { url }
}

const pool = { protocol: 'h2c' } as const
const whole = (stream: number) => [send.headers(stream, { ':status': '200' }), send.data(stream, 'body', endStream)]

describe('a slow client gets', { concurrency: true }, () => {
  for (const lane of ['raw', 'full'] as const)
    test(`every byte of a response with trailers, and them behind it: ${lane} lane`, async (t) => {
      const { url: backend } = await startBackend(t, (stream, { ':path': path }) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'right' }))
        stream.end(Buffer.alloc(Number(path!.slice(1)), 'x'))
      })
      const { app, url } = await startApp(t, { backends: [{ url: backend, id: 'one' }], pool, lane })
      // It takes a pause in the moment when the trailers come: not every size would show what is lost then.
      for (let size = 11_800_000; size < 12_000_000; size += 50_000) {
        const incoming = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
          request(`${url}/${size}`, { agent: false }).on('response', resolve).on('error', reject).end()
        })
        let received = 0
        for await (const chunk of incoming) {
          received += (chunk as Buffer).length
          await after(0)
        }
        assert.deepEqual([received, incoming.trailers], [size, { 'x-sum': 'right' }])
      }
      await until('all has ended', () => app.balancer.exchanges === 0)
      assert.deepEqual(app.balancer.backend('one').outcomes, { ok: 4 })
    })
})

for (const [name, script] of Object.entries({
  'never sends SETTINGS': { silent: true },
  'takes no streams': { onConnection: (connection) => connection.write(send.settings({ 3: 0 })) },
} satisfies Record<string, Parameters<typeof startFrameBackend>[1]>)) {
  test(`a backend that ${name} holds nobody: a request has a limit, and ends with its client`, async (t) => {
    const backend = await startFrameBackend(t, script)
    const options = { backends: [{ url: backend.url, id: 'one' }], pool, failureHeader: true }
    const short = await startApp(t, { ...options, timeouts: { connect: 100 } })
    const answer = await ask(short.url, { method: 'POST', body: 'asked' })
    assert.deepEqual([answer.status, answer.headers['x-balancer-failure']], [504, 'connect-timeout'])
    await until('it has ended', () => short.app.balancer.backend('one').inFlight === 0)

    const { app, url } = await startApp(t, { ...options, timeouts: { connect: 0 } })
    const leaving = request(url, { agent: false }).on('error', () => {})
    leaving.end()
    await until('it is under way', () => app.balancer.backend('one').inFlight === 1)
    leaving.destroy()
    await until('it has ended with its client', () => app.balancer.backend('one').inFlight === 0)
    assert.deepEqual(app.balancer.backend('one').outcomes, { 'client-gone': 1 })
  })
}

test('what one backend refuses, another gets, whatever its method', async (t) => {
  const refusing = await startFrameBackend(t, {
    onRequest: (connection, stream) => connection.write(send.reset(stream, codes.refusedStream)),
  })
  const taking = await startFrameBackend(t, {
    onData: (connection, stream, _body, isWhole) => {
      if (isWhole) connection.write(...whole(stream))
    },
  })
  const { app, url } = await startApp(t, {
    backends: [
      { url: refusing.url, id: 'refusing' },
      { url: taking.url, id: 'taking' },
    ],
    pool,
    retry: { attempts: 0 },
  })
  for (let count = 0; count < 4; count++) {
    const answer = await ask(url, { method: 'POST', body: 'asked' })
    assert.deepEqual([answer.status, answer.body], [200, 'body'])
  }
  assert.ok(app.balancer.backend('refusing').requests > 0)
})

test('a backend that sends its connections away again and again loses nobody', async (t) => {
  let streams = 0
  const { url: backend } = await startBackend(t, (stream) => {
    if (++streams % 10 === 0) stream.session!.close()
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.resume()
    stream.on('end', () => stream.end('body'))
  })
  const { url } = await startApp(t, { backends: [backend], pool, retry: { attempts: 0 } })
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(url, index % 2 === 0 ? {} : { method: 'POST', body: 'asked' })),
    )
    for (const { status, body, whole: isWhole } of answers)
      assert.deepEqual([status, body, isWhole], [200, 'body', true])
  }
})

test('an upload of which a part has been sent goes on at the next connection, once sent away or refused', async (t) => {
  for (const refuse of [
    send.goaway(0, codes.noError),
    send.goaway(0, codes.enhanceYourCalm),
    send.reset(1, codes.refusedStream),
  ]) {
    const received: string[] = []
    let refused = 0
    const backend = await startFrameBackend(t, {
      onData: (connection, stream, body, isWhole) => {
        if (refused++ === 0) connection.write(refuse)
        else {
          received.push(body.toString())
          if (isWhole) connection.write(...whole(stream))
        }
      },
    })
    const { app, url } = await startApp(t, { backends: [backend.url], pool, retry: { attempts: 0 } })
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(url, { method: 'POST', agent: false }).on('response', resolve).on('error', reject)
      outgoing.write('a part, ')
      void until('it is at the next connection', () => received.length > 0).then(
        () => outgoing.end('and the rest'),
        reject,
      )
    })
    const response = await answer
    assert.deepEqual(
      [response.statusCode, await readAll(response), received.join('')],
      [200, 'body', 'a part, and the rest'],
    )
    const [only] = app.balancer.backends
    await until('nothing is in flight', () => only!.inFlight === 0)
    assert.deepEqual([only!.bytesSent, only!.requests, only!.outcomes], [20, 1, { ok: 1 }])
  }
})

test('OPTIONS * asks of the server as a whole', async (t) => {
  const seen: unknown[] = []
  const { url: backend } = await startBackend(t, (stream, headers) => {
    seen.push([headers[':method'], headers[':path']])
    stream.respond({ ':status': 204 }, { endStream: true })
  })
  const { port } = await startApp(t, { backends: [backend], pool })
  const status = await new Promise<number>((resolve, reject) => {
    request({ port, method: 'OPTIONS', path: '*', agent: false })
      .on('response', (incoming) => {
        incoming.resume()
        resolve(incoming.statusCode!)
      })
      .on('error', reject)
      .end()
  })
  assert.deepEqual([status, seen], [204, [['OPTIONS', '*']]])
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { channel } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { exchange, get, wireClient } from '../../../../test/conformance/wire-client.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { read, start } from './stage.ts'

const names = ['balancer-core:backends:change', 'circuit-breaker:change', 'admin-routes:change']

test('closing the app ends every stream properly, and leaves nothing', async (t) => {
  const stage = await start(t)
  const readers = [await read(t, stage), await read(t, stage)]
  assert.ok(names.every((name) => channel(name).hasSubscribers))
  await stage.app.close()
  for (const reader of readers) assert.match(await reader.closed(), /\r\n0\r\n\r\n$/)
  assert.equal(stage.streams.size, 0)
  assert.equal(stage.clock.pending, 0)
  assert.deepEqual(
    names.filter((name) => channel(name).hasSubscribers),
    [],
  )
})

test('they end before the balancer has drained', async (t) => {
  let response: ServerResponse | undefined
  const backend = await startBackend(t, (_request, answer) => void (response = answer))
  const stage = await start(t, { balancer: { backends: [backend.url] } })
  const reader = await read(t, stage)
  const answer = ask(`${stage.url}/slow`)
  await until('the backend was asked', () => response !== undefined)
  const closed = stage.app.close()
  assert.match(await reader.closed(), /\r\n0\r\n\r\n$/)
  assert.equal(stage.app.balancer.exchanges, 1)
  response!.end('done')
  assert.equal((await answer).body, 'done')
  await closed
})

test('there are no new ones while the app closes', async (t) => {
  let response: ServerResponse | undefined
  const backend = await startBackend(t, (_request, answer) => void (response = answer))
  const stage = await start(t, { balancer: { backends: [backend.url] }, server: { return503OnClosing: false } })
  const answer = ask(`${stage.url}/slow`)
  await until('the backend was asked', () => response !== undefined)
  const closed = stage.app.close()
  await until('it closes', () => stage.app.balancer.closing)
  assert.equal((await exchange(t, stage.port, get('/_balancer/events'))).status, 503)
  response!.end('done')
  await answer
  await closed
})

test('an app that never was ready can be closed', async (t) => {
  const { app } = await start(t)
  await app.close()
})

test('a client that left while a hook was still busy is not kept', async (t) => {
  let release = () => {}
  let asked = 0
  const stage = await start(t, {
    scope: (scope) =>
      void scope.addHook('onRequest', () => {
        asked++
        return new Promise<void>((resolve) => void (release = resolve))
      }),
  })
  const idle = stage.clock.pending
  const client = await wireClient(t, stage.port)
  client.send(get('/_balancer/events'))
  await until('the hook was asked', () => asked === 1)
  let isClosed = false
  client.socket.destroy()
  await until('the server has noticed', () => {
    stage.app.server.getConnections((_error, count) => (isClosed = count === 0))
    return isClosed
  })
  release()
  await new Promise((resolve) => void setImmediate(resolve))
  assert.equal(stage.streams.size, 0)
  assert.equal(stage.clock.pending, idle)
})

test('over HTTP/2: the same events, and the same end', async (t) => {
  const stage = await start(t, { server: { http2: true } as object })
  const session = connect(stage.url)
  t.after(() => session.destroy())
  const left = session.request({ ':path': '/_balancer/events' })
  await once(left, 'data')
  left.close()
  await until('one has left', () => stage.streams.size === 0)
  const stream = session.request({ ':path': '/_balancer/events' })
  const [headers] = (await once(stream, 'response')) as [Record<string, string>]
  assert.equal(headers['content-type'], 'text/event-stream')
  let text = ''
  stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  await until('it has begun', () => text.includes('id: e-0\n\n'))
  await stage.app.balancer.update('a', { weight: 2 })
  await until('it is told', () => text.includes('event: backends\n'))
  stage.clock.advance(15_000)
  await until('it beats', () => text.includes(': heartbeat\n'))
  const head = session.request({ ':path': '/_balancer/events', ':method': 'HEAD' })
  head.resume()
  await once(head, 'end')
  const ended = once(stream, 'close')
  const closed = stage.app.close()
  await ended
  assert.equal(stream.rstCode, 0)
  // Node 22 does not close sessions with the server.
  session.close()
  await closed
})

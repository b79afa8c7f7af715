import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect as connectOver2 } from 'node:http2'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { get } from '../../../../test/conformance/wire-client.ts'
import { unchanged, until } from '../../../../test/support/until.ts'
import { read, start, type Stage, type StageOptions } from './stage.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const mebibyte = 1_048_576

/** What is alive (bytes). */
function held(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** A stage that keeps the responses of its streams, to look at what is queued in them. */
async function startWatched(t: TestContext, events: NonNullable<StageOptions['events']>, server: object = {}) {
  const responses: ServerResponse[] = []
  const scope: NonNullable<Parameters<typeof start>[1]>['scope'] = (one) =>
    void one.addHook('onRequest', async (_request, { raw }) => void responses.push(raw))
  return { ...(await start(t, { events, server, scope })), responses }
}

/** A client that asks, and then never reads. */
async function startMute(t: TestContext, stage: Stage) {
  const socket = connect(stage.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  const before = stage.streams.size
  socket.write(get('/_balancer/events'))
  await until('it is served', () => stage.streams.size === before + 1)
  socket.pause()
  return socket
}

/** An event of so many characters. */
function tell(length: number): void {
  const after = 'x'.repeat(length)
  channel('admin-routes:change').publish({
    what: 'backend.add',
    balancer: 'default',
    after,
    text: 'added a',
    revision: 1,
    at: 1,
  })
}

/** Lets what is written reach the sockets. */
const turn = () => new Promise((resolve) => void setImmediate(resolve))

test('whoever does not read is cut; until then no more is queued than is allowed, and nothing is left', async (t) => {
  const maxQueued = 100_000
  const stage = await startWatched(t, { maxQueued, keep: 10 })
  const good = await read(t, stage)
  const mute = await startMute(t, stage)
  const [, response] = stage.responses
  tell(50_000)
  await good.take(1)
  let most = 0
  let count = 1
  for (; stage.streams.size === 2 && count < 2000; count++) {
    tell(50_000)
    await turn()
    most = Math.max(most, response!.writableLength)
  }
  assert.equal(stage.streams.size, 1)
  assert.ok(response!.destroyed)
  assert.ok(most > 50_000 && most < maxQueued + 51_000, `queued: ${most}`)
  // Its kernel has taken some of it, and then comes the end.
  mute.resume()
  await once(mute, 'close')
  assert.equal((await good.take(count)).length, count)
})

test('memory stays flat, however much is told and however many do not read', async (t) => {
  const stage = await startWatched(t, { maxQueued: 65_536, heartbeat: 0 })
  for (let count = 0; count < 20; count++) await startMute(t, stage)
  const before = held()
  let most = 0
  for (let count = 0; count < 2000; count++) {
    tell(50_000)
    await turn()
    if (count % 200 === 0) most = Math.max(most, held())
  }
  assert.equal(stage.streams.size, 0)
  // 100 MB have been told. The log keeps 4 MiB, and each of the 20 may have 64 KiB and one event queued.
  assert.ok(most - before < 10 * mebibyte, `held: ${most - before}`)
})

test('whoever takes nothing between two heartbeats is cut', async (t) => {
  const stage = await startWatched(t, { heartbeat: 1000 })
  const good = await read(t, stage)
  await startMute(t, stage)
  const [, response] = stage.responses
  let count = 0
  while (!response!.writableNeedDrain) {
    tell(50_000)
    count++
    await turn()
  }
  await good.take(count)
  stage.clock.advance(1000)
  assert.equal(response!.destroyed, false)
  stage.clock.advance(1000)
  assert.equal(response!.destroyed, true)
  await until('it has gone', () => stage.streams.size === 1)
})

test('whoever reads again before that misses nothing', async (t) => {
  const stage = await startWatched(t, { heartbeat: 1000, maxQueued: 65_536 })
  const reader = await read(t, stage)
  const [response] = stage.responses
  reader.socket.pause()
  let count = 0
  for (; !response!.writableNeedDrain || count % 10 !== 0; count++) {
    tell(50_000)
    await turn()
  }
  for (let more = 0; more < 20; more++, count++) tell(50_000)
  stage.clock.advance(1000)
  reader.socket.resume()
  await reader.take(count)
  await until('nothing waits', () => !response!.writableNeedDrain)
  stage.clock.advance(1000)
  stage.clock.advance(1000)
  await until('it beats twice', () => reader.received.split(': heartbeat').length === 3)
  assert.deepEqual(
    reader.events.map(({ id }) => id),
    Array.from({ length: count }, (_, index) => `e-${index + 1}`),
  )
})

test('a long replay goes out as fast as it is read, and no faster', async (t) => {
  const stage = await startWatched(t, { maxQueued: 65_536 })
  for (let count = 0; count < 70; count++) tell(50_000)
  const reader = await read(t, stage, '', 'last-event-id: e-0')
  assert.equal((await reader.take(70)).length, 70)
  assert.equal(reader.events[0]!.id, 'e-1')
})

test('over HTTP/2, too', async (t) => {
  const maxQueued = 100_000
  const stage = await startWatched(t, { maxQueued, keep: 10 }, { http2: true })
  const session = connectOver2(stage.url)
  session.on('error', () => {})
  t.after(() => session.destroy())
  const mute = session.request({ ':path': '/_balancer/events' })
  mute.on('error', () => {})
  await once(mute, 'response')
  mute.pause()
  let most = 0
  for (let count = 0; stage.streams.size === 1 && count < 500; count++) {
    tell(50_000)
    await turn()
    most = Math.max(most, stage.responses[0]!.writableLength)
  }
  assert.equal(stage.streams.size, 0)
  assert.ok(most > 50_000 && most < maxQueued + 51_000, `queued: ${most}`)
  mute.resume()
  await once(mute, 'close')
  // The session goes on.
  const next = session.request({ ':path': '/_balancer/events' })
  await once(next, 'data')
  // Node 22 does not close sessions with the server.
  session.destroy()
})

test('closing the app does not wait for it', async (t) => {
  const stage = await startWatched(t, {})
  const mute = await startMute(t, stage)
  const [response] = stage.responses
  const isFull = unchanged(() => response!.writableLength)
  for (let full = false; !full; full = isFull()) {
    if (response!.writableLength < 100_000) tell(50_000)
    await turn()
  }
  await stage.app.close()
  mute.resume()
  await once(mute, 'close')
})

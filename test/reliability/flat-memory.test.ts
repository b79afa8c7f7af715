import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Writable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { rawClient } from '../support/raw.ts'
import { unchanged, until } from '../support/until.ts'
import { startWeighedProxy, type WeighedProxy } from './weighed-proxy.ts'

const mebibyte = 1_048_576
const gibibyte = 1024 * mebibyte
const chunk = Buffer.alloc(mebibyte, 'x')
/** What a process may grow by, whatever passes through it (bytes). */
const allowance = 220 * mebibyte

/** Writes `total` bytes, as fast as they are taken. */
function pour(into: Writable, total: number): void {
  let left = total
  function more(): void {
    while (left > 0 && !into.destroyed) {
      left -= chunk.length
      if (!into.write(chunk)) return
    }
  }
  into.on('drain', more)
  more()
}

/** Weighs the process again and again while something passes through it; answers by how much it grew at most. */
async function growthWhile<T>(proxy: WeighedProxy, passing: Promise<T>): Promise<[growth: number, passed: T]> {
  const { rss: before } = await proxy.holdings()
  let most = before
  let isOver = false
  const over = passing.finally(() => (isOver = true))
  while (!isOver) {
    most = Math.max(most, (await proxy.holdings()).rss)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return [most - before, await over]
}

/**
 * A backend on bare sockets, so that most of the work is the balancer's: it sends as much as the path says, and answers
 * with how much it was sent.
 */
function startMassive(t: TestContext): Promise<string> {
  return startRawBackend(t, (socket) => {
    socket.once('data', (first: Buffer) => {
      const end = first.indexOf('\r\n\r\n') + 4
      const head = first.subarray(0, end).toString()
      const [, sent] = /^GET \/(\d+)/.exec(head) ?? []
      if (sent !== undefined) {
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${sent}\r\n\r\n`)
        pour(socket, Number(sent))
        return
      }
      const [, due] = /^content-length: (\d+)/im.exec(head)!
      let received = 0
      function count(part: Buffer): void {
        received += part.length
        if (received < Number(due)) return
        const body = String(received)
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
      }
      socket.on('data', count)
      count(first.subarray(end))
    })
  })
}

/** Answers how much has arrived. */
async function download({ port }: WeighedProxy, length: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /${length} HTTP/1.1\r\nhost: x\r\n\r\n`)
  let received = 0
  let headed = false
  for await (const part of socket as AsyncIterable<Buffer>) {
    received += headed ? part.length : part.length - (part.indexOf('\r\n\r\n') + 4)
    headed = true
    if (received >= length) break
  }
  return received
}

/** Answers how much the backend says has arrived. */
async function upload(t: TestContext, { port }: WeighedProxy, length: number): Promise<number> {
  const client = await rawClient(t, port)
  client.send(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`)
  pour(client.socket, length)
  const received = await client.until(/\r\n\r\n\d+$/)
  client.socket.destroy()
  return Number(received.split('\r\n\r\n')[1])
}

test('1 GiB down and 1 GiB up pass through, and memory stays flat', async (t) => {
  const backend = await startMassive(t)
  const proxy = await startWeighedProxy(t, { backends: [backend], lane: 'raw' })
  // Once around, so that what is loaded and compiled for good is not counted.
  assert.equal(await upload(t, proxy, chunk.length), chunk.length)
  const passing = Promise.all([download(proxy, gibibyte), upload(t, proxy, gibibyte)])
  const [growth, passed] = await growthWhile(proxy, passing)
  assert.deepEqual(passed, [gibibyte, gibibyte])
  assert.ok(growth < allowance, `it grew by ${growth / mebibyte} MiB`)
  const { inFlight } = await proxy.untilHoldings('all has ended', ({ exchanges }) => exchanges === 0)
  assert.equal(inFlight, 0)
})

test('what passes through the hooks of the app leaves memory flat, too', async (t) => {
  const backend = await startMassive(t)
  const proxy = await startWeighedProxy(t, { backends: [backend], lane: 'full' })
  assert.equal(await upload(t, proxy, chunk.length), chunk.length)
  const length = gibibyte / 4
  const [growth, passed] = await growthWhile(proxy, download(proxy, length))
  assert.equal(passed, length)
  assert.ok(growth < allowance, `it grew by ${growth / mebibyte} MiB`)
})

for (const lane of ['raw', 'full'] as const) {
  test(`many who read slowly hold their backend up, and memory stays flat: ${lane} lane`, async (t) => {
    const each = 16 * mebibyte
    const backend = await startBackend(t, (_incoming, response) => {
      response.setHeader('content-length', each)
      // The backend offers all of it at once.
      response.end(Buffer.alloc(each))
    })
    const proxy = await startWeighedProxy(t, { backends: [backend.url], lane, timeouts: { idle: 0 } })
    assert.equal((await ask(proxy.url)).body.length, each)

    const readers = 16
    const { rss: before } = await proxy.holdings()
    const responses = await Promise.all(
      Array.from({ length: readers }, async () => {
        const [response] = (await once(request(proxy.url, { agent: false }).end(), 'response')) as [IncomingMessage]
        return response
      }),
    )
    // Nobody reads. Sooner or later nothing moves any more.
    let figure = 0
    const isUnchanged = unchanged(() => figure, 40)
    const { rss, inFlight, received } = await proxy.untilHoldings('nothing moves any more', (now) => {
      figure = now.received
      return isUnchanged()
    })
    assert.equal(inFlight, readers)
    assert.ok(rss - before < allowance, `it grew by ${(rss - before) / mebibyte} MiB`)
    assert.ok(received - each < readers * each, 'no backend was held up')
    // And when they read, they get all of it.
    const read = await Promise.all(
      responses.map(async (response) => {
        let size = 0
        response.on('data', (part: Buffer) => (size += part.length))
        await once(response, 'end')
        return size
      }),
    )
    assert.deepEqual(new Set(read), new Set([each]))
  })
}

test('a backend that is slow to read holds the client up', async (t) => {
  const backend = await startBackend(t, (incoming) => void incoming.pause())
  const { app, url } = await startApp(t, { backends: [backend.url], timeouts: { idle: 0 } })
  const outgoing = request(url, { method: 'POST', agent: false }).on('error', () => {})
  t.after(() => outgoing.destroy())
  pour(outgoing, gibibyte)
  const [view] = app.balancer.backends
  await until(
    'nothing moves any more',
    unchanged(() => view!.bytesSent),
  )
  assert.ok(view!.bytesSent < 64 * mebibyte, `${view!.bytesSent} bytes were taken for a backend that reads nothing`)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { connect, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { lingerAfter } from '../../src/response/lingering-close.ts'

/** A client whose upload was answered, and that has seen the other side end; and the socket that reads on. */
async function answered(t: TestContext): Promise<{ client: Socket; socket: Socket }> {
  let socket: Socket | undefined
  const server = createServer((request, response) => {
    socket = request.socket
    lingerAfter(response)
    response.writeHead(413, { connection: 'close' }).end()
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  t.after(() => {
    client.destroy()
    socket?.destroy()
    server.close()
  })
  client.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n')
  client.resume()
  await once(client, 'end')
  return { client, socket: socket! }
}

/** It has read what was sent, and nothing has ended it. */
async function reads(client: Socket, socket: Socket): Promise<void> {
  const read = once(socket, 'data')
  client.write('x')
  await read
  assert.equal(socket.destroyed, false)
}

test('a client that falls silent is cut after 5 s, or at the next look; one that does not stop, after 30 s', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const silent = await answered(t)
  const busy = await answered(t)
  for (let look = 0; look < 5; look++) {
    t.mock.timers.tick(look === 0 ? 4999 : 5000)
    await reads(busy.client, busy.socket)
    if (look === 0) await reads(silent.client, silent.socket)
    assert.equal(silent.socket.destroyed, look > 1)
  }
  t.mock.timers.tick(5000)
  assert.equal(busy.socket.destroyed, false)
  t.mock.timers.tick(1)
  assert.equal(busy.socket.destroyed, true)
})

test('a client that sends more than 256 MiB is cut', async (t) => {
  const { client, socket } = await answered(t)
  const chunk = Buffer.alloc(1024 * 1024)
  let sent = 0
  const more = () => {
    while (!client.destroyed && client.write(chunk)) sent += chunk.length
  }
  client.on('drain', () => {
    sent += chunk.length
    more()
  })
  more()
  await once(socket, 'close')
  assert.ok(socket.bytesRead > 256 * 1024 * 1024)
  assert.ok(socket.bytesRead < 257 * 1024 * 1024)
})

test('a client that ends is let go', async (t) => {
  const { client, socket } = await answered(t)
  const closed = once(socket, 'close')
  client.end()
  await closed
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { startRawBackend } from '../support/backend.ts'
import { rawClient } from '../support/raw.ts'
import { handshake, switching } from '../support/upgrade-backend.ts'

test('what a tunnel holds back for a client that stops reading is not overwritten by what comes behind', async (t) => {
  const sent = randomBytes(24 << 20)
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', (head) => {
      socket.write(`${switching(head.toString('latin1'))}\r\n`)
      socket.end(sent)
    })
  })
  const { port } = await startApp(t, { backends: [backend], upgrade: { linger: 0 } })
  // Several at once, so that each may get memory that another has given back.
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      const { socket } = await rawClient(t, port)
      socket.removeAllListeners('data').setEncoding('latin1')
      const chunks: string[] = []
      let reads = 0
      socket.on('data', (chunk: string) => {
        chunks.push(chunk)
        if (++reads % 7 !== 0) return
        socket.pause()
        setImmediate(() => setImmediate(() => socket.resume()))
      })
      socket.write(handshake())
      await new Promise((resolve) => void socket.once('end', resolve))
      const all = chunks.join('')
      const received = Buffer.from(all.slice(all.indexOf('\r\n\r\n') + 4), 'latin1')
      assert.ok(received.equals(sent))
      socket.end()
    }),
  )
})

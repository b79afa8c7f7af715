import assert from 'node:assert/strict'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { listen, startRawBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { localhost } from '../../../../test/support/certificates.ts'
import { until } from '../../../../test/support/until.ts'
import { ask } from './asking.ts'

const type = 'tcp'

test('whoever takes a connection is well; nothing is sent, and it is closed', async (t) => {
  const open = new Set<Socket>()
  let bytes = 0
  const url = await startRawBackend(t, (socket) => {
    open.add(socket)
    socket.on('data', (chunk) => (bytes += chunk.length))
    socket.on('close', () => open.delete(socket))
  })
  const report = await ask(t, url, { type })
  assert.deepEqual([report.good, report.received, report.sent], [true, 'connected', `TCP connect ${new URL(url).host}`])
  assert.ok(report.timings.connected! <= report.timings.took)
  await until('it is closed', () => open.size === 0)
  assert.equal(bytes, 0)
})

test('whoever does not is not', async (t) => {
  const report = await ask(t, await unusedOrigin(), { type })
  assert.deepEqual([report.good, report.received], [false, 'connect ECONNREFUSED'])
})

test('another port of the same host', async (t) => {
  const { port } = new URL(await startRawBackend(t, () => {}))
  const report = await ask(t, await unusedOrigin(), { type, port: Number(port) })
  assert.deepEqual([report.good, report.sent], [true, `TCP connect 127.0.0.1:${port}`])
})

test('of an https backend, the handshake belongs to it', async (t) => {
  const server = createHttps(localhost)
  const url = (await listen(server)).replace('http:', 'https:')
  t.after(() => server.close())
  assert.match((await ask(t, url, { type })).received, /^self-signed certificate/)
  const report = await ask(t, url, { type }, { tls: { ca: localhost.cert } })
  assert.deepEqual([report.good, report.sent], [true, `TLS connect ${new URL(url).host}`])
  const silent = await startRawBackend(t, () => {})
  const hanging = await ask(t, silent.replace('http:', 'https:'), { type, timeout: 100 })
  assert.equal(hanging.received, 'no connection within 100 ms')
})

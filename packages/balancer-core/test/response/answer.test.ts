import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../../../../test/support/app.ts'
import { startBackend } from '../../../../test/support/backend.ts'

const size = 8 * 1024 * 1024

test('of a large body, nothing is written that has no bytes, and a client that reads is not waited for', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end(Buffer.alloc(size, 'x')))
  const { app, url } = await startApp(t, { backends: [backend.url] })
  let writes = 0
  let empty = 0
  app.server.on('request', (_request, response) => {
    const { write } = response
    response.write = ((chunk: Buffer) => {
      writes++
      if (chunk.length === 0) empty++
      return Reflect.apply(write, response, [chunk])
    }) as typeof write
  })
  const response = await fetch(url)
  let received = 0
  for await (const chunk of response.body!) received += chunk.length
  assert.equal(received, size)
  assert.equal(empty, 0)
  assert.ok(writes > 0)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { wireClient } from './wire-client.ts'
import { valuesOf } from './wire-message.ts'

failOnCrash()

test('a request line of any other version than HTTP/1.0 and HTTP/1.1 gets 505, and nothing reaches a backend', async (t) => {
  const backend = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [backend.url] })
  for (const version of ['2.0', '0.9', '1.2', '3.0', '9.9', '0.0']) {
    const client = await wireClient(t, port)
    client.send(`GET / HTTP/${version}\r\nhost: a\r\n\r\n`)
    const response = await client.response()
    assert.equal(response.status, 505, version)
    assert.deepEqual(valuesOf(response, 'connection'), ['close'])
    assert.equal((JSON.parse(response.body) as { statusCode: number }).statusCode, 505)
    assert.equal(await client.closed(), '')
  }
  assert.equal(backend.requests.length, 0)
  for (const version of ['1.0', '1.1']) {
    const client = await wireClient(t, port)
    client.send(`GET / HTTP/${version}\r\nhost: a\r\n\r\n`)
    assert.equal((await client.response()).status, 200)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { stage } from '../stage.ts'

const types = [
  'application/json',
  'Application/JSON',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'application/json;',
  'application/vnd.api+json',
  'text/plain',
  'application/x-www-form-urlencoded',
]

const framings = {
  'no length': ['', ''],
  'length 0': ['content-length: 0\r\n', ''],
  'chunks, of which there are none': ['transfer-encoding: chunked\r\n', '0\r\n\r\n'],
} as const

/** What has no body, and what it answers when all is well. */
const calls = [
  ['DELETE', '/balancers/default/backends/a?dryRun=true', 200],
  ['POST', '/balancers/default/backends/a/probe', 409],
  ['POST', '/balancers/default/explain', 200],
  ['DELETE', '/nothing', 404],
  ['POST', '/nothing', 404],
  ['GET', '/balancers', 200],
] as const

for (const [how, [field, body]] of Object.entries(framings))
  test(`what has no body may say of what type it would be, with ${how}`, async (t) => {
    const { app } = await stage(t)
    const { port } = await listenApp(t, app)
    for (const type of types)
      for (const [method, path, status] of calls) {
        const client = await rawClient(t, port)
        client.send(
          `${method} /_balancer${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n` +
            `content-type: ${type}\r\n${field}\r\n${body}`,
        )
        assert.match(await client.closed(), new RegExp(`^HTTP/1\\.1 ${status} `), `${method} ${path} ${type}`)
      }
  })

test('a backend is removed by a DELETE with a JSON type and no body, as curl sends it', async (t) => {
  const { app, list } = await stage(t)
  const { port } = await listenApp(t, app)
  const client = await rawClient(t, port)
  client.send(
    'DELETE /_balancer/balancers/default/backends/a HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n',
  )
  assert.match(await client.closed(), /^HTTP\/1\.1 200 /)
  assert.deepEqual(list(), ['b 2'])
})

test('what needs a body says so, whatever its type', async (t) => {
  const { app, list } = await stage(t)
  const { port } = await listenApp(t, app)
  for (const type of types) {
    const client = await rawClient(t, port)
    client.send(
      `PUT /_balancer/balancers/default/backends HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: ${type}\r\ncontent-length: 0\r\n\r\n`,
    )
    const answer = await client.closed()
    assert.match(answer, /^HTTP\/1\.1 400 /, type)
    assert.match(answer, /"faults":\["expected an object, got (?:null|nothing)"\]/, type)
  }
  assert.deepEqual(list(), ['a 1', 'b 2'])
})

test('a body that is no JSON is refused, and not read to its end', async (t) => {
  const { app, list } = await stage(t)
  const { port } = await listenApp(t, app)
  const client = await rawClient(t, port)
  client.send(
    'PUT /_balancer/balancers/default/backends HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\n{"backends"',
  )
  const answer = await client.until(/FST_BALANCER_ADMIN_NOT_JSON/)
  assert.match(answer, /^HTTP\/1\.1 415 /)
  assert.deepEqual(list(), ['a 1', 'b 2'])
})

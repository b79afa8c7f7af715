import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { get, wireClient } from './wire-client.ts'

failOnCrash()

const asked = {
  GET: get('/x').replace('/x', '/first'),
  HEAD: get('/first').replace('GET', 'HEAD'),
  POST: 'POST /first HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody',
  'POST in chunks': 'POST /first HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
}

const answers = {
  'a length': ok('12345'),
  chunks: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n',
  trailers: 'HTTP/1.1 200 OK\r\ntrailer: x-a\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\nx-a: 1\r\n\r\n',
  'status 204': 'HTTP/1.1 204 X\r\n\r\n',
  'status 304 and a length': 'HTTP/1.1 304 X\r\ncontent-length: 5\r\n\r\n',
}

for (const lane of ['raw', 'full'] as const) {
  describe(`what a hook makes of the method keeps connections in step (${lane} lane)`, () => {
    for (const [name, request] of Object.entries(asked)) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS']) {
        for (const [form, answer] of Object.entries(answers)) {
          test(`${name} sent as ${method}, answered with ${form}`, async (t) => {
            const backend = await startWireBackend(t, ({ start }, connection) => {
              const isHead = start.startsWith('HEAD')
              connection.send(isHead ? answer.slice(0, answer.indexOf('\r\n\r\n') + 4) : answer)
            })
            const { port } = await startApp(t, {
              backends: [backend.url],
              lane,
              pool: { connections: 1 },
              rewrite: {
                request: ({ out }) => {
                  if (out.path === '/first') out.method = method
                },
              },
            })
            const client = await wireClient(t, port)
            const isHead = name === 'HEAD'
            for (let count = 0; count < 2; count++) {
              client.send(request)
              const response = await client.response({ bodyless: isHead })
              const isBodyless = isHead || method === 'HEAD' || form.startsWith('status')
              assert.equal(response.body, isBodyless ? '' : '12345')
              assert.equal(backend.requests.at(-1)!.start, `${method} /first HTTP/1.1`)
              assert.equal(backend.requests.at(-1)!.body, name.startsWith('POST') ? 'body' : '')
              // Whatever was left over would come now.
              client.send(get('/second'))
              const next = await client.response()
              assert.equal(next.body, form.startsWith('status') ? '' : '12345')
              assert.equal(client.rest, '')
              assert.equal(backend.requests.at(-1)!.start, 'GET /second HTTP/1.1')
            }
          })
        }
      }
    }
  })

  describe(`what a hook makes of the status keeps the connection in step (${lane} lane)`, () => {
    for (const [form, answer] of Object.entries(answers)) {
      for (const status of [200, 204, 304, 404]) {
        test(`${form}, answered with ${status}`, async (t) => {
          const backend = await startWireBackend(t, answer)
          const { port } = await startApp(t, {
            backends: [backend.url],
            lane,
            rewrite: { response: ({ out }) => void (out.status = status) },
          })
          const client = await wireClient(t, port)
          for (let count = 0; count < 3; count++) {
            client.send(get('/'))
            const response = await client.response()
            assert.equal(response.status, status)
            const isBodyless = form.startsWith('status') || status === 204 || status === 304
            assert.equal(response.body, isBodyless ? '' : '12345')
          }
          assert.equal(client.rest, '')
        })
      }
    }
  })
}

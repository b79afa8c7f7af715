import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { get, wireClient } from './wire-client.ts'
import { valuesOf } from './wire-message.ts'

failOnCrash()

/** What every object has, or once had. */
const names = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'length',
  'push',
]
const fields = names.flatMap((name, index) => [`${name}: ${index}`, `${name}: again`])
const block = fields.map((field) => `${field}\r\n`).join('')

for (const lane of ['raw', 'full'] as const) {
  for (const hooks of [false, true]) {
    describe(`field names that objects have (${lane} lane${hooks ? ', with hooks that rewrite' : ''})`, () => {
      const rewrite = hooks ? { request: () => {}, response: () => {} } : {}
      const forms = {
        'a length': ok('ok', ...fields),
        'nothing but once each': ok('ok', ...fields.filter((field) => !field.endsWith('again'))),
        chunks: `HTTP/1.1 200 OK\r\n${block}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
      }
      for (const [form, answer] of Object.entries(forms)) {
        test(`cross both ways as they are: with ${form}`, async (t) => {
          const backend = await startWireBackend(t, answer)
          const { port } = await startApp(t, { backends: [backend.url], lane, rewrite })
          const client = await wireClient(t, port)
          client.send(get('/', ...fields))
          const response = await client.response()
          assert.equal(response.status, 200)
          assert.equal(response.body, 'ok')
          for (const [index, name] of names.entries()) {
            const values = form.startsWith('nothing') ? [`${index}`] : [`${index}`, 'again']
            assert.equal(valuesOf(response, name.toLowerCase()).join(', '), values.join(', '), name)
            assert.equal(valuesOf(backend.requests[0]!, name.toLowerCase()).join(', '), `${index}, again`, name)
          }
        })
      }

      test('cross as trailers', async (t) => {
        const backend = await startWireBackend(
          t,
          `HTTP/1.1 200 OK\r\ntrailer: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${block}\r\n`,
        )
        const { port } = await startApp(t, { backends: [backend.url], lane, rewrite })
        const client = await wireClient(t, port)
        client.send(get())
        const text = await client.until(/\r\n0\r\n[^]*\r\n\r\n$/)
        const trailers = text.slice(text.indexOf('\r\n0\r\n') + 5).toLowerCase()
        for (const field of fields) assert.ok(trailers.includes(`${field.toLowerCase()}\r\n`), field)
      })
    })
  }
}

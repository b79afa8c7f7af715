import helmet from '@fastify/helmet'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront, ways } from '../support/front.ts'

for (const way of ways)
  for (const lane of ['raw', 'full'] as const)
    test(`@fastify/helmet: its headers are on what is forwarded, and win, ${lane} lane, ${way}`, async (t) => {
      const front = await startFront(t, {
        way,
        before: (app) => app.register(helmet),
        balancer: { lane },
        listener: (_request, response) => {
          response.setHeader('x-frame-options', 'ALLOWALL')
          response.setHeader('content-security-policy', 'default-src *')
          response.setHeader('x-of-the-backend', 'kept')
          response.setHeader('set-cookie', ['a=1', 'b=2'])
          response.end('hello')
        },
      })
      for (const question of [{ method: 'GET' }, { method: 'POST', body: 'hello' }, { method: 'HEAD' }]) {
        const { status, headers, body } = await ask(front.url, question)
        assert.deepEqual([status, body], [200, question.method === 'HEAD' ? '' : 'hello'])
        assert.equal(headers['x-frame-options'], 'SAMEORIGIN')
        assert.equal(headers['x-content-type-options'], 'nosniff')
        assert.match(String(headers['content-security-policy']), /^default-src 'self';/)
        assert.match(String(headers['strict-transport-security']), /max-age=/)
        assert.equal(headers['x-of-the-backend'], 'kept')
        assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
      }
    })

test('@fastify/helmet: on failures too', async (t) => {
  const front = await startFront(t, { before: (app) => app.register(helmet) })
  await front.backend.stop()
  const { status, headers } = await ask(front.url)
  assert.deepEqual([status, headers['x-frame-options']], [502, 'SAMEORIGIN'])
})

test('@fastify/helmet: configured, switched off and applied by hand on routes that call reply.forward()', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(helmet, { global: false })
      app.get('/plain', (_request, reply) => reply.forward())
      app.get('/framed', { helmet: { frameguard: { action: 'deny' } } }, (_request, reply) => reply.forward())
      app.get('/by-hand', (_request, reply) => {
        reply.helmet({ frameguard: false })
        reply.forward()
      })
    },
  })
  const fields = async (path: string) => {
    const { headers } = await ask(front.url + path)
    return [headers['x-frame-options'], headers['x-content-type-options']]
  }
  assert.deepEqual(await fields('/plain'), [undefined, undefined])
  assert.deepEqual(await fields('/framed'), ['DENY', 'nosniff'])
  assert.deepEqual(await fields('/by-hand'), [undefined, 'nosniff'])
  assert.deepEqual(await fields('/'), [undefined, undefined])
})

test('@fastify/helmet: every response has a nonce of its own', async (t) => {
  const front = await startFront(t, { before: (app) => app.register(helmet, { enableCSPNonces: true }) })
  const nonce = async () =>
    /script-src[^;]*'nonce-(\w+)'/.exec(String((await ask(front.url)).headers['content-security-policy']))![1]
  assert.notEqual(await nonce(), await nonce())
})

import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront, ways, type Echo } from '../support/front.ts'

const secret = 'twenty bytes of secret'

/** What the app sets, by the plugin and by hand. */
async function withCookies(app: FastifyInstance): Promise<void> {
  await app.register(cookie, { secret })
  app.addHook('onRequest', async (_request, reply) => {
    reply.setCookie('app', 'one', { path: '/', httpOnly: true })
    reply.setCookie('signed', 'two', { path: '/', signed: true })
    reply.header('set-cookie', 'by-hand=three')
  })
}

for (const way of ways)
  for (const cookies of [[], ['session=abc'], ['session=abc; Path=/', 'other=def; HttpOnly']])
    for (const method of ['GET', 'POST', 'HEAD'])
      test(`@fastify/cookie: ${method}, the app's cookies and ${cookies.length} of the backend reach the client, ${way}`, async (t) => {
        const front = await startFront(t, {
          way,
          before: withCookies,
          listener: (_request, response) => {
            for (const one of cookies) response.appendHeader('set-cookie', one)
            response.end('hello')
          },
        })
        const { status, headers } = await ask(front.url, { method, ...(method === 'POST' && { body: 'hello' }) })
        assert.equal(status, 200)
        const received = headers['set-cookie'] as string[]
        assert.deepEqual(
          received.filter((one) => !one.startsWith('signed=')).sort(),
          [...cookies, 'app=one; Path=/; HttpOnly; SameSite=Lax', 'by-hand=three'].sort(),
        )
        const signed = received.find((one) => one.startsWith('signed='))!
        const value = decodeURIComponent(/^signed=([^;]*)/.exec(signed)![1]!)
        assert.deepEqual(front.app.unsignCookie(value), { valid: true, renew: false, value: 'two' })
        assert.equal(received.length, cookies.length + 3)
      })

for (const lane of ['raw', 'full'] as const)
  test(`cookies that the app sets by hand stand beside the backend's, ${lane} lane`, async (t) => {
    const front = await startFront(t, {
      before: (app) => {
        app.addHook('onRequest', async (_request, reply) => {
          reply.header('set-cookie', ['app=one', 'app=two'])
        })
      },
      balancer: { lane },
      listener: (_request, response) => {
        response.setHeader('set-cookie', ['session=abc', 'other=def'])
        response.end('hello')
      },
    })
    for (const _ of [1, 2]) {
      const { headers } = await ask(front.url)
      assert.deepEqual((headers['set-cookie'] as string[]).toSorted(), [
        'app=one',
        'app=two',
        'other=def',
        'session=abc',
      ])
    }
  })

test('@fastify/cookie: the app reads the cookies, and the backend gets them as they came', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(cookie, { secret })
      app.addHook('onRequest', async (request, reply) => {
        if (request.cookies.role !== 'admin') await reply.code(403).send({ role: request.cookies.role })
      })
    },
  })
  const refused = await ask(front.url, { headers: { cookie: 'role=guest' } })
  assert.deepEqual([refused.status, refused.body], [403, '{"role":"guest"}'])
  front.assertUntouched()
  const sent = 'a=%20b; role=admin;c="d"'
  const { body } = await ask(front.url, { headers: { cookie: sent } })
  assert.equal((JSON.parse(body) as Echo).headers.cookie, sent)
})

test('@fastify/cookie: clearing a cookie goes out with a forwarded response', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(cookie)
      app.addHook('preHandler', async (_request, reply) => {
        reply.clearCookie('old', { path: '/' })
      })
    },
  })
  const { headers } = await ask(front.url)
  assert.match(headers['set-cookie']![0]!, /^old=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT/)
})

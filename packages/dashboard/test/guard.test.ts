import type { FastifyReply, FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asked } from '../../../test/support/backend.ts'
import { ask } from '../../../test/support/ask.ts'
import { stage } from './stage.ts'

const page = '/_balancer/dashboard'

/** Lets in who says the word. */
async function guard(request: FastifyRequest, reply: FastifyReply) {
  if (request.headers.authorization !== 'Bearer word')
    return reply.code(401).header('www-authenticate', 'Bearer').send()
  return undefined
}

test('nothing below the path answers before the hook has let the request in', async (t) => {
  const { origin, backend } = await stage(t, { dashboard: { onRequest: guard } })
  const index = await (await fetch(`${origin}${page}/`, { headers: { authorization: 'Bearer word' } })).text()
  const script = /assets\/[\w.-]+\.js/.exec(index)![0]
  const paths = [
    '',
    '/',
    '/index.html',
    '/settings.json',
    `/${script}`,
    '/licenses.md',
    '/nothing',
    '/a/b',
    '/..%2fx',
    '/assets/..%2findex.html',
  ]
  for (const path of paths)
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answer = await fetch(`${origin}${page}${path}`, { method, redirect: 'manual' })
      assert.equal(answer.status, 401, `${method} ${path}`)
      assert.equal(answer.headers.get('location'), null)
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/)
      assert.equal(await answer.text(), '')
    }
  assert.deepEqual(asked(backend), [])
})

test('several hooks are asked in their order, and each may refuse', async (t) => {
  const order: string[] = []
  const { origin } = await stage(t, {
    dashboard: {
      onRequest: [
        async () => void order.push('first'),
        (_request, reply, done) => {
          order.push('second')
          if (reply.request.headers['x-stop'] === undefined) done()
          else void reply.code(403).send('no')
        },
        async () => void order.push('third'),
      ],
    },
  })
  assert.equal((await fetch(`${origin}${page}/`)).status, 200)
  assert.deepEqual(order, ['first', 'second', 'third'])
  assert.equal((await fetch(`${origin}${page}/`, { headers: { 'x-stop': '1' } })).status, 403)
  assert.deepEqual(order.slice(3), ['first', 'second'])
})

test('what the page shows is guarded by the admin routes, whatever the hook of the page says', async (t) => {
  const { origin } = await stage(t, { admin: { onRequest: guard }, dashboard: { onRequest: async () => {} } })
  assert.equal((await fetch(`${origin}${page}/`)).status, 200)
  assert.equal((await fetch(`${origin}/_balancer/balancers`)).status, 401)
})

test('a refusal is logged once, by the app’s error handler or by Fastify’s', async (t) => {
  for (const own of [false, true]) {
    const { origin, log } = await stage(t, {
      before(app) {
        if (!own) return
        app.setErrorHandler(async (error, request, reply) => {
          request.log.info({ err: error }, 'refused')
          return reply.code(403).send('no')
        })
      },
    })
    for (const path of ['', '/', '/index.html', '/assets/', '/settings.json', '/nothing'])
      for (const method of ['GET', 'HEAD', 'POST'] as const) {
        const before = log.all.length
        const { status } = await ask(`${origin}${page}${path}`, { method, headers: { host: 'strange.example' } })
        assert.equal(status, 403)
        const lines = log.all.slice(before).filter((line) => 'err' in line)
        assert.equal(lines.length, 1, `${method} ${path}`)
      }
  }
})

import adminRoutes, { type AdminChange } from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask, type Answer } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'

const admin = '/_balancer'

/** Where the session keeps who has signed in. */
type Signed = FastifyRequest['session'] & { user?: { readonly name: string } }

/** An app where who has signed in may operate the balancer; it forwards everything else. */
async function start(t: TestContext) {
  const backend = await startBackend(t)
  const app = Fastify()
  await app.register(swagger, { openapi: { info: { title: 'a', version: '1' } } })
  await app.register(cookie)
  await app.register(session, {
    secret: 'a secret that is longer than thirty-two characters',
    cookie: { secure: false },
    saveUninitialized: false,
  })
  app.post<{ Body: { name: string; password: string } }>('/login', async (request, reply) => {
    if (request.body.password !== 'secret') return reply.code(403).send()
    await request.session.regenerate()
    ;(request.session as Signed).user = { name: request.body.name }
    return reply.code(204).send()
  })
  app.post('/logout', async ({ session: own }, reply) => {
    await own.destroy()
    return reply.code(204).send()
  })
  await app.register(balancer, { backends: [{ id: 'a', url: backend.url }] })
  await app.register(adminRoutes, {
    onRequest: async ({ session: own }) => {
      if ((own as Signed).user === undefined) throw Object.assign(new Error('not signed in'), { statusCode: 401 })
    },
    user: ({ session: own }) => (own as Signed).user?.name,
  })
  const { url } = await listenApp(t, app)
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    ask(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const signIn = async (password = 'secret') => {
    const { status, headers } = await post('/login', { name: 'ann', password })
    return { status, cookie: String(headers['set-cookie'] ?? '').split(';')[0]! }
  }
  return { app, url, post, signIn, backend }
}

/** Every documented operation, each of their paths with other methods, and what is not there. */
function everything(paths: Record<string, object>): (readonly [string, string])[] {
  const real = (path: string) => path.replace('{name}', 'default').replace('{id}', 'a')
  const documented = Object.entries(paths).filter(([path]) => path.startsWith(admin))
  return [
    ...documented.flatMap(([path, methods]) =>
      [...Object.keys(methods).map((method) => method.toUpperCase()), 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'].map(
        (method) => [method, real(path)] as const,
      ),
    ),
    ...[
      '',
      '/',
      '/nothing',
      '/balancers/',
      '/balancers/nobody',
      '/balancers/default/backends/nobody',
      `/balancers/default/backends/${'x'.repeat(101)}`,
      '//balancers',
    ].flatMap((path) => ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE'].map((method) => [method, admin + path] as const)),
    ['POST', `${admin}/balancers/default/backends?dryRun=maybe`],
  ]
}

/** All that an answer tells, but for its date and its length; and that the plugin takes back a cookie that it did not give. */
function told({ status, headers, body }: Answer) {
  const { date: _date, 'content-length': _length, 'set-cookie': cookies, ...fields } = headers
  for (const one of cookies ?? []) assert.match(one, /^sessionId=; Max-Age=0;/)
  return { status, fields, body }
}

const refused = {
  status: 401,
  fields: {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-type': 'application/json; charset=utf-8',
    connection: 'close',
  },
  body: JSON.stringify({ statusCode: 401, error: 'Unauthorized', message: 'not signed in' }),
}

test('@fastify/session: without one, every request below the prefix is answered alike, and does nothing', async (t) => {
  const { app, url, backend, signIn } = await start(t)
  const asked = everything((app.swagger() as unknown as { paths: Record<string, object> }).paths)
  assert.ok(asked.length > 80)
  const { status, cookie: failed } = await signIn('guess')
  assert.deepEqual([status, failed], [403, ''])
  const forged = 'sessionId=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
  for (const headers of [{}, { cookie: forged }])
    for (const [method, path] of asked) {
      const hasBody = ['PUT', 'POST', 'PATCH'].includes(method)
      // oxlint-disable-next-line no-await-in-loop -- so that a failure names its request
      const answer = await ask(url + path, {
        method,
        headers: { ...headers, ...(hasBody && { 'content-type': 'application/json' }) },
        ...(hasBody && { body: '{"x":' }),
      })
      assert.deepEqual(told(answer), { ...refused, ...(method === 'HEAD' && { body: '' }) }, `${method} ${path}`)
    }
  assert.deepEqual(
    [app.balancer.set.revision, app.balancer.backend('a').state, backend.received.length],
    [1, 'ready', 0],
  )
})

test('@fastify/session: who has signed in may, until the session ends', async (t) => {
  const { app, url, post, signIn } = await start(t)
  const { cookie: signed } = await signIn()
  const list = `${url}${admin}/balancers/default/backends`
  const who: unknown[] = []
  const listen = (change: unknown) => void who.push((change as AdminChange).who)
  subscribe('admin-routes:change', listen)
  t.after(() => unsubscribe('admin-routes:change', listen))
  const patched = await ask(`${list}/a`, {
    method: 'PATCH',
    headers: { cookie: signed, 'content-type': 'application/json' },
    body: '{"weight":3}',
  })
  assert.deepEqual([patched.status, app.balancer.backend('a').weight], [200, 3])
  // To them, what is not there is not there, and methods are told.
  assert.equal((await ask(`${list}/nobody`, { headers: { cookie: signed } })).status, 404)
  // The balancer itself is as open as it was.
  assert.equal((await ask(url)).status, 200)
  // A character of the signature is another.
  const last = signed.at(-1) === 'A' ? 'B' : 'A'
  assert.equal((await ask(list, { headers: { cookie: signed.slice(0, -1) + last } })).status, 401)
  assert.equal((await post('/logout', {}, { cookie: signed })).status, 204)
  assert.deepEqual(told(await ask(list, { headers: { cookie: signed } })), refused)
  assert.deepEqual(who, ['ann'])
})

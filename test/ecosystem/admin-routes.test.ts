import adminRoutes, { type AdminChange, type AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import auth from '@fastify/auth'
import basicAuth from '@fastify/basic-auth'
import bearerAuth from '@fastify/bearer-auth'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import etag from '@fastify/etag'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test, type TestContext } from 'node:test'
import { ask, type Answer } from '../support/ask.ts'
import { listenApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'

const admin = '/_balancer'
const backend = `${admin}/balancers/default/backends/a`

/** An app with a balancer and admin routes, whose options may use what `before` has registered. */
async function start(
  t: TestContext,
  before: (app: FastifyInstance) => unknown,
  options: (app: FastifyInstance) => AdminRoutesOptions,
) {
  const behind = await startBackend(t)
  const app = Fastify()
  await before(app)
  await app.register(balancer, { backends: [{ id: 'a', url: behind.url }] })
  await app.register(adminRoutes, options(app))
  const { url } = await listenApp(t, app)
  const told: AdminChange[] = []
  const listen = (change: unknown) => void told.push(change as AdminChange)
  subscribe('admin-routes:change', listen)
  t.after(() => unsubscribe('admin-routes:change', listen))
  const patch = (headers: Record<string, string>, weight = 3) =>
    ask(url + backend, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ weight }),
    })
  return { app, url, told, patch, behind }
}

const refusable = [
  ['GET', '/balancers'],
  ['HEAD', '/balancers'],
  ['OPTIONS', '/balancers'],
  ['GET', '/events'],
  ['GET', '/ready'],
  ['GET', '/operator'],
  ['PUT', '/server/state'],
  ['DELETE', '/balancers/default/backends/a'],
  ['POST', '/balancers/default/rollback'],
  ['GET', '/nothing'],
  ['PROPFIND', '/'],
] as const

/** Nothing below the prefix answers without these headers, and with them all of it does. */
async function assertClosed(
  { app, url, patch, told }: Awaited<ReturnType<typeof start>>,
  headers: Record<string, string>,
  status = 401,
): Promise<void> {
  const statuses = await Promise.all(refusable.map(([method, path]) => ask(url + admin + path, { method })))
  assert.deepEqual(
    statuses.map((answer) => answer.status),
    refusable.map(() => status),
  )
  assert.equal((await patch({})).status, status)
  assert.deepEqual([app.balancer.backends.length, app.balancer.backend('a').weight, told.length], [1, 1, 0])
  const good: Answer = await ask(`${url}${admin}/balancers`, { headers })
  assert.deepEqual([good.status, (await patch(headers)).status], [200, 200])
  assert.equal(app.balancer.backend('a').weight, 3)
  // The balancer itself is as open as it was.
  assert.equal((await ask(url)).status, 200)
}

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const register = (app: FastifyInstance) =>
  app.register(basicAuth, {
    authenticate: { realm: 'balancer' },
    validate: async (name, password, request) => {
      if (password !== 'secret') throw new Error('wrong password')
      Object.assign(request, { user: { name } })
    },
  })

describe('closed by', () => {
  for (const position of ['onRequest', 'preHandler'] as const)
    test(`@fastify/basic-auth in ${position}, who tells who it was`, async (t) => {
      const front = await start(t, register, (app) => ({ [position]: app.basicAuth }))
      await assertClosed(front, { authorization: basic('ann', 'secret') })
      assert.equal(front.told[0]!.who, 'ann')
      const { headers } = await ask(`${front.url}${admin}/nothing`, {
        headers: { authorization: basic('ann', 'guess') },
      })
      assert.match(String(headers['www-authenticate']), /^Basic realm="balancer"/)
    })

  test('@fastify/bearer-auth', async (t) => {
    const front = await start(
      t,
      (app) => app.register(bearerAuth, { keys: new Set(['key']), addHook: false }),
      (app) => ({ onRequest: app.verifyBearerAuth! }),
    )
    await assertClosed(front, { authorization: 'Bearer key' })
  })

  test('@fastify/jwt, whose roles decide who may change something', async (t) => {
    const front = await start(
      t,
      (app) => app.register(jwt, { secret: 'secret' }),
      () => ({
        onRequest: async (request: FastifyRequest) => void (await request.jwtVerify()),
        operate: {
          onRequest: async ({ user }: FastifyRequest) => {
            if ((user as { role?: string }).role !== 'operator')
              throw Object.assign(new Error('no operator'), { statusCode: 403 })
          },
        },
      }),
    )
    const viewer = `Bearer ${front.app.jwt.sign({ sub: 'vic', role: 'viewer' })}`
    await assertClosed(front, { authorization: `Bearer ${front.app.jwt.sign({ sub: 'ann', role: 'operator' })}` })
    assert.equal(front.told[0]!.who, 'ann')
    assert.equal((await ask(`${front.url}${admin}/balancers`, { headers: { authorization: viewer } })).status, 200)
    assert.equal((await front.patch({ authorization: viewer }, 9)).status, 403)
    assert.equal(front.app.balancer.backend('a').weight, 3)
  })

  for (const [relation, headers, wrong] of [
    ['or', { 'x-key': 'key' }, {}],
    ['and', { 'x-key': 'key', authorization: basic('ann', 'secret') }, { 'x-key': 'key' }],
  ] as const)
    test(`@fastify/auth, ${relation}`, async (t) => {
      const front = await start(
        t,
        async (app) => {
          await register(app)
          await app.register(auth)
        },
        (app) => {
          const keyed = async (request: FastifyRequest) => {
            if (request.headers['x-key'] !== 'key') throw Object.assign(new Error('no key'), { statusCode: 401 })
          }
          return { onRequest: app.auth([keyed, app.basicAuth], { relation }) }
        },
      )
      await assertClosed(front, headers)
      assert.equal((await front.patch(wrong, 9)).status, 401)
    })

  test('a signed cookie', async (t) => {
    const front = await start(
      t,
      (app) => app.register(cookie, { secret: 'secret' }),
      () => ({
        onRequest: async (request: FastifyRequest) => {
          const { valid, value } = request.unsignCookie(request.cookies.session ?? '')
          if (!valid) throw Object.assign(new Error('no session'), { statusCode: 401 })
          Object.assign(request, { user: { id: value } })
        },
      }),
    )
    await assertClosed(front, { cookie: `session=${encodeURIComponent(front.app.signCookie('ann'))}` })
    assert.equal(front.told[0]!.who, 'ann')
  })
})

test('@fastify/rate-limit of the app limits the routes too', async (t) => {
  const { url } = await start(
    t,
    (app) => app.register(rateLimit, { max: 2, timeWindow: 60_000 }),
    () => ({ insecure: true }),
  )
  const statuses: number[] = []
  for (let count = 0; count < 3; count++) statuses.push((await ask(`${url}${admin}/balancers`)).status)
  assert.deepEqual(statuses, [200, 200, 429])
})

test('CORS, helmet, compress and etag of the app do no harm', async (t) => {
  const { url, patch } = await start(
    t,
    async (app) => {
      await app.register(cors, { origin: 'https://ops.example' })
      await app.register(helmet)
      await app.register(compress, { threshold: 0 })
      await app.register(etag)
    },
    () => ({ insecure: true, origins: ['https://ops.example'] }),
  )
  const changed = await patch({ origin: 'https://ops.example' })
  assert.deepEqual(
    [changed.status, changed.headers.etag, changed.headers['access-control-allow-origin']],
    [200, '"2"', 'https://ops.example'],
  )
  assert.equal((await patch({ origin: 'https://evil.example' })).status, 403)
  const list = await ask(`${url}${admin}/balancers/default/backends`)
  assert.deepEqual([list.status, list.headers.etag], [200, '"2"'])
})

describe('the OpenAPI document', () => {
  async function document(t: TestContext) {
    const { app } = await start(
      t,
      (server) => server.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'a', version: '1' } } }),
      () => ({ insecure: true }),
    )
    return JSON.parse(JSON.stringify(app.swagger())) as { paths: Record<string, Record<string, any>> }
  }

  test('has every route, and nothing that is not one', async (t) => {
    const { paths } = await document(t)
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const one = '/_balancer/balancers/{name}'
    assert.deepEqual(
      operations.toSorted(),
      [
        `DELETE ${one}/backends/{id}`,
        'GET /_balancer/balancers',
        `GET ${one}`,
        `GET ${one}/backends`,
        `GET ${one}/config`,
        `GET ${one}/backends/{id}`,
        `GET ${one}/backends/{id}/wait`,
        `GET ${one}/tunnels`,
        `GET ${one}/history`,
        `GET ${one}/failures`,
        `DELETE ${one}/tunnels/{id}`,
        'GET /_balancer/events',
        'GET /_balancer/instances',
        'GET /_balancer/live',
        'GET /_balancer/operator',
        'GET /_balancer/ready',
        'GET /_balancer/server',
        'GET /_balancer/server/wait',
        `PATCH ${one}/backends/{id}`,
        `POST ${one}/backends`,
        `POST ${one}/backends/{id}/probe`,
        `POST ${one}/explain`,
        `POST ${one}/rollback`,
        `PUT ${one}/backends`,
        `PUT ${one}/backends/{id}/circuit`,
        `PUT ${one}/backends/{id}/state`,
        'POST /_balancer/server/restart',
        'PUT /_balancer/server/state',
      ].toSorted(),
    )
  })

  test('is complete: parameters, bodies, answers, each with a schema that can be used', async (t) => {
    const { paths } = await document(t)
    const checker = Fastify({ ajv: { customOptions: { strict: false } } })
    const assertSchema = (schema: object) => {
      assert.equal(typeof schema, 'object')
      assert.doesNotMatch(JSON.stringify(schema), /\$ref/)
      checker.post(`/${used++}`, { schema: { body: schema } }, async () => '')
    }
    let used = 0
    const ids = new Set<string>()
    for (const [path, methods] of Object.entries(paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      for (const [method, operation] of Object.entries(methods)) {
        const where = `${method} ${path}`
        assert.deepEqual(operation.tags, ['load-balancer'], where)
        assert.ok(operation.summary.length > 0, where)
        if (operation.operationId !== undefined) {
          assert.equal(ids.has(operation.operationId), false, where)
          ids.add(operation.operationId)
        }
        const parameters: any[] = operation.parameters ?? []
        assert.deepEqual(
          parameters.filter((one) => one.in === 'path').map(({ name }) => name),
          named,
          where,
        )
        for (const parameter of parameters) {
          assertSchema(parameter.schema)
          assert.equal(parameter.required ?? false, parameter.in === 'path', `${where} ${parameter.name}`)
        }
        const bodies = operation.requestBody?.content
        if (bodies !== undefined) {
          assert.deepEqual(Object.keys(bodies), ['application/json'], where)
          assertSchema(bodies['application/json'].schema)
        }
        assert.ok(
          Object.keys(operation.responses).some((status) => status.startsWith('2')),
          where,
        )
        for (const [status, { description, content }] of Object.entries<any>(operation.responses)) {
          assert.ok(description.length > 0 && description !== 'Default Response', `${where} ${status}`)
          for (const { schema } of Object.values<any>(content)) assertSchema(schema)
        }
      }
    }
    await checker.ready()
    assert.ok(ids.size >= 16 && used > 100)
    await checker.close()
  })
})

import auth from '@fastify/auth'
import cookie from '@fastify/cookie'
import jwt from '@fastify/jwt'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront, ways, type Echo } from '../support/front.ts'
import { addGuard, assertGuarded, positions, type Guard, type Position } from '../support/guarded.ts'

const secret = 'supersecret'
let token: string
let expired: string
let forged: string

before(async () => {
  const issuer = Fastify()
  await issuer.register(jwt, { secret })
  token = issuer.jwt.sign({ sub: 'arya' }, { noTimestamp: true })
  expired = issuer.jwt.sign({ sub: 'arya', iat: 1, exp: 2 })
  const other = Fastify()
  await other.register(jwt, { secret: 'anothersecret' })
  forged = other.jwt.sign({ sub: 'arya' })
})

async function verify(request: FastifyRequest): Promise<void> {
  await request.jwtVerify()
}

/** As its README has it: an async hook. */
const jwtIn = (position: Position) => async (app: FastifyInstance) => {
  await app.register(jwt, { secret })
  if (position === 'preParsing')
    app.addHook(position, async (request, _reply, payload) => {
      await verify(request)
      return payload
    })
  else app.addHook(position, verify)
}

for (const way of ways)
  for (const position of positions) {
    test(`@fastify/jwt in ${position} of the whole app, ${way}`, (t) =>
      assertGuarded(
        t,
        { way, before: jwtIn(position) },
        {
          admitted: { authorization: `Bearer ${token}` },
          refusal: ({ body }) =>
            assert.equal((JSON.parse(body) as { code: string }).code, 'FST_JWT_NO_AUTHORIZATION_IN_HEADER'),
        },
      ))

    test(`@fastify/jwt in ${position} of the scope that holds the balancer, ${way}`, (t) =>
      assertGuarded(
        t,
        { way, scope: '/inside', before: jwtIn(position) },
        { admitted: { authorization: `Bearer ${token}` } },
      ))

    test(`@fastify/jwt through @fastify/auth in ${position}, ${way}`, (t) =>
      assertGuarded(
        t,
        {
          way,
          before: async (app) => {
            await app.register(auth)
            await app.register(jwt, { secret })
            addGuard(app, position, app.auth([verify]) as Guard)
          },
        },
        { admitted: { authorization: `Bearer ${token}` } },
      ))
  }

test('@fastify/jwt: expired, forged and unsigned tokens never reach a backend', async (t) => {
  const front = await startFront(t, { before: jwtIn('onRequest') })
  const [, payload] = token.split('.')
  const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
  const codes: string[] = []
  for (const bad of [expired, forged, unsigned, 'nonsense']) {
    const { status, body } = await ask(front.url, { headers: { authorization: `Bearer ${bad}` } })
    assert.equal(status, 401)
    codes.push((JSON.parse(body) as { code: string }).code)
  }
  assert.deepEqual(codes.slice(0, 2), ['FST_JWT_AUTHORIZATION_TOKEN_EXPIRED', 'FST_JWT_AUTHORIZATION_TOKEN_INVALID'])
  front.assertUntouched()
})

test('@fastify/jwt: `reply.send(error)` from the hook, as its README has it, ends the request there', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(jwt, { secret })
      app.addHook('onRequest', async (request, reply) => {
        try {
          await request.jwtVerify()
        } catch (error) {
          void reply.send(error)
        }
      })
    },
  })
  assert.equal((await ask(front.url, { method: 'POST', body: 'hello' })).status, 401)
  front.assertUntouched()
})

test('@fastify/jwt with @fastify/cookie: the token comes in a cookie', (t) =>
  assertGuarded(
    t,
    {
      before: async (app) => {
        await app.register(jwt, { secret, cookie: { cookieName: 'token', signed: false } })
        await app.register(cookie)
        app.addHook('onRequest', verify)
      },
    },
    { admitted: { cookie: `token=${token}` } },
  ))

test('@fastify/jwt: the verified user is told to the backend by `rewrite.request`, and cannot be made up', async (t) => {
  const front = await startFront(t, {
    before: jwtIn('onRequest'),
    balancer: {
      rewrite: {
        request: ({ in: request, out }) => {
          out.headers['x-user'] = (request.user as { sub: string }).sub
          delete out.headers.authorization
        },
      },
    },
  })
  const headers = { authorization: `Bearer ${token}`, 'X-User': 'somebody-else' }
  const received = (JSON.parse((await ask(front.url, { headers })).body) as Echo).headers
  assert.equal(received['x-user'], 'arya')
  assert.equal(received.authorization, undefined)
})

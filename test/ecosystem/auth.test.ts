import auth from '@fastify/auth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront, ways } from '../support/front.ts'
import { addGuard, assertGuarded, positions, type Guard, type Position } from '../support/guarded.ts'

class Refusal extends Error {
  readonly statusCode: number

  constructor(message: string, statusCode: number) {
    super(message)
    this.statusCode = statusCode
  }
}

async function asMember(request: FastifyRequest): Promise<void> {
  if (request.headers['x-member'] === undefined) throw new Refusal('not a member', 401)
}

function asAdmin(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  if (request.headers['x-admin'] === undefined) done(new Refusal('not an admin', 403))
  else done()
}

/** Members and admins may pass: the plugin's `or`. */
const eitherIn = (position: Position) => async (app: FastifyInstance) => {
  await app.register(auth)
  addGuard(app, position, app.auth([asAdmin, asMember]) as Guard)
}

for (const way of ways)
  for (const position of positions) {
    test(`@fastify/auth in ${position} of the whole app, ${way}`, (t) =>
      assertGuarded(
        t,
        { way, before: eitherIn(position) },
        {
          admitted: { 'x-member': 'yes' },
          refusal: ({ body }) =>
            assert.deepEqual(JSON.parse(body), { statusCode: 401, error: 'Unauthorized', message: 'not a member' }),
        },
      ))

    test(`@fastify/auth in ${position} of the scope that holds the balancer, ${way}`, (t) =>
      assertGuarded(t, { way, scope: '/inside', before: eitherIn(position) }, { admitted: { 'x-admin': 'yes' } }))
  }

test('@fastify/auth with `and`: one refusal is enough', (t) =>
  assertGuarded(
    t,
    {
      before: async (app) => {
        await app.register(auth, { defaultRelation: 'and' })
        app.addHook('onRequest', app.auth([asAdmin, asMember]))
      },
    },
    { admitted: { 'x-member': 'yes', 'x-admin': 'yes' }, status: 403 },
  ))

test('@fastify/auth on one route that calls reply.forward() leaves the catch-all route open', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(auth)
      app.get('/admin', { onRequest: app.auth([asAdmin]) }, (_request, reply) => reply.forward())
    },
  })
  assert.equal((await ask(`${front.url}/admin`)).status, 403)
  front.assertUntouched()
  assert.equal((await ask(`${front.url}/admin`, { headers: { 'x-admin': 'yes' } })).status, 200)
  assert.equal((await ask(`${front.url}/anything`)).status, 200)
})

test('a guard of one scope says nothing about a balancer beside that scope', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(auth)
      await app.register(
        async (scope) => {
          scope.addHook('onRequest', scope.auth([asMember]))
          scope.get('/mine', async () => 'mine')
        },
        { prefix: '/inside' },
      )
    },
  })
  assert.equal((await ask(`${front.url}/inside/mine`)).status, 401)
  front.assertUntouched()
  assert.equal((await ask(`${front.url}/inside/other`)).status, 200)
})

test('a guard that is added after the balancer has loaded guards it all the same', async (t) => {
  const front = await startFront(t, {
    before: (app) => app.register(auth),
    after: (app) => app.addHook('onRequest', app.auth([asMember])),
  })
  assert.equal((await ask(front.url)).status, 401)
  front.assertUntouched()
  assert.equal((await ask(front.url, { headers: { 'x-member': 'yes' } })).status, 200)
})

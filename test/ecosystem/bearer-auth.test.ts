import auth from '@fastify/auth'
import bearerAuth from '@fastify/bearer-auth'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, type Answer } from '../support/ask.ts'
import { startFront, ways } from '../support/front.ts'
import { addGuard, assertGuarded, positions, type Guard } from '../support/guarded.ts'

const keys = ['a-super-secret-key']
const admitted = { authorization: `Bearer ${keys[0]}` }
const refusal = ({ body }: Answer) => assert.deepEqual(JSON.parse(body), { error: 'missing authorization header' })

for (const way of ways) {
  for (const addHook of ['onRequest', 'preParsing'] as const)
    test(`@fastify/bearer-auth with its own ${addHook} hook, ${way}`, (t) =>
      assertGuarded(t, { way, before: (app) => app.register(bearerAuth, { keys, addHook }) }, { admitted, refusal }))

  for (const position of positions)
    test(`@fastify/bearer-auth through @fastify/auth in ${position}, ${way}`, (t) =>
      assertGuarded(
        t,
        {
          way,
          before: async (app) => {
            await app.register(auth)
            await app.register(bearerAuth, { keys, addHook: false, verifyErrorLogLevel: 'info' })
            addGuard(app, position, app.auth([app.verifyBearerAuth!]) as Guard)
          },
        },
        { admitted },
      ))

  test(`@fastify/bearer-auth in the scope that holds the balancer, ${way}`, (t) =>
    assertGuarded(t, { way, scope: '/inside', before: (app) => app.register(bearerAuth, { keys }) }, { admitted }))
}

test('@fastify/bearer-auth refuses a wrong key and a wrong scheme; the right key reaches the backend as it came', async (t) => {
  const front = await startFront(t, { before: (app) => app.register(bearerAuth, { keys }) })
  for (const authorization of ['Bearer another-key', `Basic ${keys[0]}`, `bearer ${keys[0]}`, 'Bearer'])
    assert.equal((await ask(front.url, { headers: { authorization } })).status, 401)
  front.assertUntouched()
  assert.equal((await ask(front.url, { headers: admitted })).status, 200)
  assert.equal(front.backend.received[0]!.headers.authorization, admitted.authorization)
})

test('@fastify/bearer-auth with `auth` asks elsewhere before a backend is asked, and fails closed', async (t) => {
  const front = await startFront(t, {
    before: (app) =>
      app.register(bearerAuth, {
        keys: [],
        auth: async (key) => {
          if (key === 'broken') throw new Error('the directory is down')
          return key === 'good'
        },
      }),
  })
  const statusFor = async (key: string) =>
    (await ask(front.url, { headers: { authorization: `Bearer ${key}` } })).status
  assert.equal(await statusFor('broken'), 500)
  assert.equal(await statusFor('bad'), 401)
  front.assertUntouched()
  assert.equal(await statusFor('good'), 200)
})

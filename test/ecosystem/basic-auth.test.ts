import auth from '@fastify/auth'
import basicAuth from '@fastify/basic-auth'
import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront, ways, type Echo } from '../support/front.ts'
import { addGuard, assertGuarded, positions, type Guard, type Position } from '../support/guarded.ts'

const credentials = `Basic ${Buffer.from('Tyrion:wine').toString('base64')}`
const admitted = { authorization: credentials }

async function validate(username: string, password: string): Promise<void> {
  if (username !== 'Tyrion' || password !== 'wine') throw new Error('Winter is coming')
}

const basicIn = (position: Position) => async (app: FastifyInstance) => {
  await app.register(basicAuth, { validate, authenticate: { realm: 'Westeros' } })
  addGuard(app, position, app.basicAuth)
}

for (const way of ways)
  for (const position of positions) {
    test(`@fastify/basic-auth in ${position} of the whole app, ${way}`, (t) =>
      assertGuarded(
        t,
        { way, before: basicIn(position) },
        {
          admitted,
          refusal: ({ headers }) =>
            assert.equal(headers['www-authenticate'], 'Basic realm="Westeros", charset="UTF-8"'),
        },
      ))

    test(`@fastify/basic-auth in ${position} of the scope that holds the balancer, ${way}`, (t) =>
      assertGuarded(t, { way, scope: '/inside', before: basicIn(position) }, { admitted }))

    test(`@fastify/basic-auth through @fastify/auth in ${position}, ${way}`, (t) =>
      assertGuarded(
        t,
        {
          way,
          before: async (app) => {
            await app.register(auth)
            await app.register(basicAuth, { validate })
            addGuard(app, position, app.auth([app.basicAuth]) as Guard)
          },
        },
        { admitted },
      ))
  }

test('@fastify/basic-auth refuses a wrong password', async (t) => {
  const front = await startFront(t, { before: basicIn('onRequest') })
  const authorization = `Basic ${Buffer.from('Tyrion:water').toString('base64')}`
  const answer = await ask(front.url, { headers: { authorization } })
  assert.equal(answer.status, 401)
  assert.equal((JSON.parse(answer.body) as Error).message, 'Winter is coming')
  front.assertUntouched()
})

test('@fastify/basic-auth in proxy mode: 407, and the credentials for the proxy stay with the proxy', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(basicAuth, { validate, proxyMode: true, authenticate: true })
      app.addHook('onRequest', app.basicAuth)
    },
  })
  const refused = await ask(front.url)
  assert.equal(refused.status, 407)
  assert.equal(refused.headers['proxy-authenticate'], 'Basic charset="UTF-8"')
  front.assertUntouched()

  const headers = { 'proxy-authorization': credentials, authorization: 'Basic for-the-backend' }
  const { status, body } = await ask(front.url, { headers })
  assert.equal(status, 200)
  const received = (JSON.parse(body) as Echo).headers
  assert.equal(received['proxy-authorization'], undefined)
  assert.equal(received.authorization, 'Basic for-the-backend')
})

test('@fastify/basic-auth: the app answers refusals with its own page', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      app.setErrorHandler(async (error: { statusCode?: number }, _request, reply) => {
        if (error.statusCode !== 401) throw error
        return reply.code(401).send({ was: 'unauthorized' })
      })
      await basicIn('onRequest')(app)
    },
  })
  const refused = await ask(front.url)
  assert.deepEqual([refused.status, refused.body], [401, '{"was":"unauthorized"}'])
  front.assertUntouched()
})

import rateLimit from '@fastify/rate-limit'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ask, type Answer } from '../support/ask.ts'
import { startFront, ways } from '../support/front.ts'
import { keepAliveAgent } from '../support/guarded.ts'

const left = ({ headers }: Answer) => [headers['x-ratelimit-limit'], headers['x-ratelimit-remaining']]

for (const way of ways)
  for (const hook of ['onRequest', 'preHandler'] as const)
    for (const lane of ['raw', 'full'] as const)
      test(`@fastify/rate-limit in ${hook}: counts on what is forwarded, 429 after the limit, ${lane} lane, ${way}`, async (t) => {
        const agent = keepAliveAgent(t)
        const front = await startFront(t, {
          way,
          before: (app) => app.register(rateLimit, { max: 2, timeWindow: '1 hour', hook }),
          balancer: { lane },
        })
        const first = await ask(front.url, { agent })
        const second = await ask(front.url, { agent, method: 'POST', body: Readable.from(['hello']) })
        assert.deepEqual([first.status, ...left(first)], [200, '2', '1'])
        assert.deepEqual([second.status, ...left(second)], [200, '2', '0'])
        assert.match(String(first.headers['x-ratelimit-reset']), /^\d+$/)
        assert.equal(first.headers['retry-after'], undefined)

        const refused = [
          await ask(front.url, { agent }),
          await ask(front.url, { agent, method: 'POST', body: Readable.from(['hello']) }),
          await ask(front.url, { agent, method: 'PUT', body: randomBytes(2 << 20) }),
        ]
        for (const answer of refused) {
          assert.deepEqual([answer.status, ...left(answer)], [429, '2', '0'])
          assert.match(String(answer.headers['retry-after']), /^\d+$/)
          assert.match((JSON.parse(answer.body) as Error).message, /^Rate limit exceeded, retry in /)
        }
        assert.deepEqual(
          front.backend.received.map(({ method }) => method),
          ['GET', 'POST'],
        )
        assert.equal(front.balancer.backends[0]!.requests, 2)
      })

test('@fastify/rate-limit: the app counts; what the backend says of its own limits does not confuse the client', async (t) => {
  const front = await startFront(t, {
    before: (app) => app.register(rateLimit, { max: 10 }),
    listener: (_request, response) => {
      response.setHeader('X-RateLimit-Limit', '99999')
      response.end()
    },
  })
  assert.deepEqual(left(await ask(front.url)), ['10', '9'])
})

test('@fastify/rate-limit with max 0 lets nothing through, not even a connection', async (t) => {
  const front = await startFront(t, { before: (app) => app.register(rateLimit, { max: 0 }) })
  assert.equal((await ask(front.url)).status, 429)
  front.assertUntouched()
})

test('@fastify/rate-limit: limits by route and by client; a ban is 403', async (t) => {
  const front = await startFront(t, {
    before: async (app) => {
      await app.register(rateLimit, {
        max: 1,
        ban: 1,
        keyGenerator: (request) => String(request.headers['x-client']),
      })
      app.get('/generous', { config: { rateLimit: { max: 5 } } }, (_request, reply) => reply.forward())
      app.get('/unlimited', { config: { rateLimit: false } }, (_request, reply) => reply.forward())
    },
  })
  const asked = async (path: string, client: string) =>
    (await ask(front.url + path, { headers: { 'x-client': client } })).status
  assert.deepEqual(
    [await asked('/', 'one'), await asked('/', 'one'), await asked('/', 'two'), await asked('/', 'one')],
    [200, 429, 200, 403],
  )
  assert.deepEqual(left(await ask(`${front.url}/generous`, { headers: { 'x-client': 'one' } })), ['5', '4'])
  assert.deepEqual(left(await ask(`${front.url}/unlimited`, { headers: { 'x-client': 'one' } })), [
    undefined,
    undefined,
  ])
  assert.equal(front.backend.received.length, 4)
})

test('@fastify/rate-limit with the draft headers', async (t) => {
  const front = await startFront(t, { before: (app) => app.register(rateLimit, { max: 3, enableDraftSpec: true }) })
  const { headers } = await ask(front.url)
  assert.deepEqual([headers['ratelimit-limit'], headers['ratelimit-remaining']], ['3', '2'])
})

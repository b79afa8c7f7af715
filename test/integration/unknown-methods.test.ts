import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'

for (const method of ['HEAD', 'PATCH'])
  test(`clients that use ${method} take no server out that does not know it: 501 is about the method`, async (t) => {
    const backends = await Promise.all(
      ['a', 'b'].map((name) =>
        startBackend(t, (request, response) => {
          response.statusCode = request.method === method ? 501 : 200
          response.end(request.method === method ? undefined : name)
        }),
      ),
    )
    const app = Fastify()
    await app.register(balancer, { backends: backends.map(({ url }) => url) })
    const { url } = await listenApp(t, app)
    for (let index = 0; index < 20; index++) assert.equal((await ask(url, { method })).status, 501)
    assert.deepEqual(
      app.balancer.backends.map(({ vetoes }) => vetoes),
      [[], []],
    )
    assert.deepEqual([(await ask(url)).body, (await ask(url)).body].toSorted(), ['a', 'b'])
  })

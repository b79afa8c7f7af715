import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { startBackend } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import balancer from '../../src/index.ts'

test('requests that wait to be refused do not count towards `maxExchanges`', async (t) => {
  const held: ServerResponse[] = []
  const backend = await startBackend(t, (_request, response) => void held.push(response))
  const app = Fastify()
  t.after(() => app.close())
  const backends = [{ url: backend.url, maxInFlight: 1 }]
  await app.register(balancer, { backends, queue: false, maxExchanges: 2, failureHeader: true })
  const first = app.inject('/')
  await until('the backend has the first', () => held.length === 1)
  const others = await Promise.all(Array.from({ length: 50 }, () => app.inject('/')))
  const reasons = new Set(others.map(({ headers }) => headers['x-balancer-failure']))
  assert.deepEqual([...reasons], ['queue-full'])
  held[0]!.end()
  assert.equal((await first).statusCode, 200)
  assert.equal(app.balancer.exchanges, 0)
})

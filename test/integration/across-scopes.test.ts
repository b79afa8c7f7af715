import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import metrics from '@fastify-balancer/metrics'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'

test('the checks of one scope are known to the metrics and admin routes of another', async (t) => {
  const backend = await startBackend(t)
  const backends = [{ id: 'a', url: backend.url }]
  const app = Fastify()
  await app.register(balancer, { name: 'outer', backends, prefix: '/outer' })
  await app.register(adminRoutes, { insecure: true })
  await app.register(metrics)
  await app.register(async (inner) => {
    await inner.register(balancer, { name: 'inner', backends, prefix: '/inner' })
    await inner.register(healthCheck, { balancer: 'inner' })
    await inner.register(circuitBreaker, { balancer: 'inner' })
    assert.deepEqual([...inner.healthChecks.keys()], ['inner'])
    assert.deepEqual([...inner.circuitBreakers.keys()], ['inner'])
  })
  const { url } = await listenApp(t, app)

  const { body } = await ask(`${url}/metrics`)
  assert.match(body, /^fastify_balancer_backend_circuit\{balancer="inner",backend="a",state="closed"\} 1$/m)
  assert.match(body, /^fastify_balancer_probe[a-z_]*\{balancer="inner",backend="a"[^}]*\} 1$/m)
  assert.doesNotMatch(body, /_circuit\{balancer="outer"/)

  const admin = `${url}/_balancer/balancers/inner/backends/a`
  const probed = await ask(`${admin}/probe`, { method: 'POST' })
  assert.equal(probed.status, 200)
  const held = await ask(`${admin}/circuit`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ state: 'open' }),
  })
  assert.equal(held.status, 200)
  const view = JSON.parse((await ask(admin)).body) as Record<string, { state: string }>
  assert.deepEqual([view['circuit']?.state, view['health']?.state], ['isolated', 'up'])
})

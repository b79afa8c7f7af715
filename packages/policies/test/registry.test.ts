import balancer, { type PolicyOption } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import policiesPlugin, { policies } from '../src/index.ts'
import { demanded } from './demanded.ts'

for (const [name, { settings }] of Object.entries(policies))
  test(`${name} is found by its name once the plugin is registered, and is called by it`, async (t) => {
    const app = Fastify()
    t.after(() => app.close())
    await app.register(policiesPlugin)
    await app.register(balancer, {
      backends: ['http://127.0.0.1:1'],
      policy: { name, ...demanded(settings) } as PolicyOption,
    })
    assert.equal(app.balancer.policy.name, name)
    assert.equal(app.balancer.explain().policy['name'], name)
    assert.equal(app.balancer.explain().picked, app.balancer.backends[0]!.id)
  })

test('without the plugin, the core says which names it knows', async () => {
  await assert.rejects(async () => {
    await Fastify().register(balancer, { policy: 'peak-ewma' })
  }, /policy: expected round-robin, weighted, random, p2c, least-requests, or an object/)
})

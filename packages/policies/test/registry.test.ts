import balancer, { type PolicyOption } from '@fastify-balancer/balancer-core'
import { Kind, OptionalKind, type TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import policiesPlugin, { policies } from '../src/index.ts'

/** Settings that a policy cannot do without, as its schema wants them. */
function requiredOf({ properties }: TObject): object {
  const required = Object.entries(properties).filter(
    ([, schema]) => schema.default === undefined && schema[OptionalKind] === undefined && schema[Kind] !== 'Any',
  )
  return Object.fromEntries(required.map(([name, schema]) => [name, Value.Create(schema)]))
}

for (const [name, { settings }] of Object.entries(policies))
  test(`${name} is found by its name once the plugin is registered, and is called by it`, async (t) => {
    const app = Fastify()
    t.after(() => app.close())
    await app.register(policiesPlugin)
    const policy = { name, ...requiredOf(settings) } as PolicyOption
    await app.register(balancer, { backends: ['http://127.0.0.1:1'], policy })
    assert.equal(app.balancer.policy.name, name)
    assert.equal(app.balancer.explain().policy['name'], name)
    assert.equal(app.balancer.explain().picked, app.balancer.backends[0]!.id)
  })

test('without the plugin, the core says which names it knows', async () => {
  await assert.rejects(async () => {
    await Fastify().register(balancer, { policy: 'peak-ewma' })
  }, /policy: expected round-robin, weighted, random, p2c, least-requests, or an object/)
})

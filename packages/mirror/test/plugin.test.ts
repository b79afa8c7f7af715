import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import mirror, { mirror as named, type MirrorOptions } from '../src/index.ts'

const backends = ['http://a.test']
const to = ['http://mirror.test']

async function appOf(t: TestContext, ...names: string[]): Promise<FastifyInstance> {
  const app = Fastify()
  t.after(() => app.close())
  for (const name of names) await app.register(balancer, { name, backends, route: false })
  return app
}

test('is the default export and a named one', () => {
  assert.equal(mirror, named)
})

test('without the core, the app does not start, and it is said what is missing', async (t) => {
  const app = await appOf(t)
  await assert.rejects(async () => app.register(mirror, { to }), /decorator 'balancers'.*@fastify-balancer\/mirror/)
})

test('each balancer has its own mirror, found by its name', async (t) => {
  const app = await appOf(t, 'api', 'default')
  await app.register(mirror, { to, balancer: 'api' })
  assert.throws(() => app.mirror, {
    code: 'FST_BALANCER_MIRROR_NONE',
    message: "The balancer 'default' has no mirror",
  })
  await app.register(mirror, { to })
  assert.deepEqual([...app.mirrors.keys()].toSorted(), ['api', 'default'])
  assert.deepEqual([app.mirror.balancer.name, app.mirrors.get('api')!.balancer.name], ['default', 'api'])
})

test('a balancer that is not there, a second mirror and bad options fail at boot', async (t) => {
  for (const [options, message] of [
    [{ to, balancer: 'shop' }, /^Bad mirror options: balancer: there is no balancer 'shop', only: default$/],
    [{ to, shares: 1 }, /^Bad mirror options: shares: unknown option \(did you mean share\?\)$/],
    [{ to }, /^Bad mirror options: balancer: 'default' already has a mirror$/],
  ] as const) {
    const app = await appOf(t, 'default')
    await app.register(mirror, { to })
    await assert.rejects(async () => app.register(mirror, options as MirrorOptions), { message })
  }
})

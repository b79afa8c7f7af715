import balancer, { type PolicyOption } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import policiesPlugin from '../../src/index.ts'
import { balancing } from '../stage.ts'

const near = { id: 'near', zone: 'here', tags: ['trial'], maxInFlight: 1 }
const other = { id: 'other', zone: 'there', tags: ['canary'] }

/** One backend, of which the only place is taken, and an idle one of the other side. */
async function startStage(t: TestContext, policy: PolicyOption, headers = {}) {
  const held: ServerResponse[] = []
  const backends = await Promise.all(
    [near, other].map(async (entry) => {
      const { url } = await startBackend(t, ({ url: path }, response) => {
        if (path === '/held') held.push(response)
        else response.end(entry.id)
      })
      return { url, ...entry }
    }),
  )
  const app = Fastify()
  await app.register(policiesPlugin)
  await app.register(balancer, { backends, policy })
  const { url } = await listenApp(t, app)
  const first = ask(`${url}/held`, { headers })
  await until('the place is taken', () => held.length === 1)
  return {
    url,
    balancer: app.balancer,
    /** Gives the place back. */
    async release() {
      held[0]!.end('near')
      assert.equal((await first).body, 'near')
    },
  }
}

const waiting: Readonly<Record<string, readonly [PolicyOption, Record<string, string>?]>> = {
  'canaries without a share': [{ name: 'canary' }],
  'canaries, which the request stays away from': [
    { name: 'canary', share: 0.5, header: 'x-canary' },
    { 'x-canary': 'never' },
  ],
  'canaries, to which it was not drawn': [{ name: 'canary', share: 1e-9 }],
  'canaries, which this user is not with': [
    { name: 'canary', share: 1e-9, key: { header: 'x-user' } },
    { 'x-user': 'a' },
  ],
  'canaries, for a client that is not bound yet': [
    { name: 'sticky', secret: ['the secret of this test'], policy: 'canary' },
  ],
  'canaries, for a request without a key': [{ name: 'maglev', key: { header: 'x-user' }, policy: 'canary' }],
  'others, when it asks for canaries': [{ name: 'canary', tag: 'trial', header: 'x-canary' }, { 'x-canary': 'always' }],
  'other zones, where saturation is off': [{ name: 'zones', zone: 'here', saturation: false }],
}

for (const [side, [policy, headers = {}]] of Object.entries(waiting))
  test(`while its side is full, a request waits, and does not go to ${side}`, async (t) => {
    const { url, balancer: own, release } = await startStage(t, policy, headers)
    assert.equal(own.explain({ headers }).picked, null)
    const second = ask(url, { headers })
    await until('it waits', () => own.queue.length === 1)
    // A place of the other side becomes free.
    own.limit(own.backend('other'), 1)
    own.limit(own.backend('other'), Infinity)
    await release()
    assert.equal((await second).body, 'near')
  })

test('a waiting request gets no place of another priority that the policy within refuses', (t) => {
  const backends = ['first', 'second', 'canary'].map((id, priority) => ({
    ...{ id, url: `http://${id}.test`, maxInFlight: 1 },
    ...{ priority: Math.min(priority, 1), tags: id === 'canary' ? ['canary'] : [] },
  }))
  const policy = { name: 'tiers', policy: { name: 'canary', header: 'x-canary' } } as const
  const own = balancing(t, { backends, policy })
  for (const { id } of own.backends) own.backend(id).inFlight = 1
  // Counted from the next set on.
  own.veto(own.backend('first'), { by: 'test', reason: 'the set is built again' }).lift()
  const request = { method: 'GET', url: '/', headers: { 'x-canary': 'never' }, attempts: [] } as never
  assert.equal(own.pick(request), 'saturated')
  own.backend('canary').inFlight = 0
  assert.equal(own.picking.offer(own.backend('canary'), request), undefined)
  own.backend('second').inFlight = 0
  assert.equal(own.picking.offer(own.backend('second'), request)?.backend.id, 'second')
  for (const { id } of own.backends) own.backend(id).inFlight = 0
})

test('a request that its side has failed goes to the other one', async (t) => {
  const { url: there } = await startBackend(t, undefined, 'other')
  const app = Fastify()
  await app.register(policiesPlugin)
  const backends = [
    { ...near, url: await unusedOrigin() },
    { ...other, url: there },
  ]
  await app.register(balancer, { backends, policy: 'canary' })
  const { url } = await listenApp(t, app)
  assert.equal((await ask(url)).body, 'other')
})

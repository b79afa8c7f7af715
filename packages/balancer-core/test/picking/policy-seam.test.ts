import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { Type } from '@sinclair/typebox'
import type { RequestListener, ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import plugin, { Balancer, type NamedPolicy, type PickRequest, type Policy } from '../../src/index.ts'
import { backendSet } from '../../src/backends/backend-set.ts'
import { Picking } from '../../src/picking/picking.ts'
import { corePolicies } from '../../src/picking/policies/by-name.ts'
import type { PolicyOption } from '../../src/picking/policies/policy-option.ts'

/** A policy that picks the first, and notes what it is asked with and when it is attached. */
function noting() {
  const asked: (Pick<PickRequest, 'url' | 'address'> & { body: string | undefined; count: number | undefined })[] = []
  const told: string[] = []
  const policy = (name: string): Policy => ({
    name,
    over: (available) => ({
      pick({ url, address, body }, count) {
        asked.push({ url, address, body: body?.toString(), count })
        return available[0]
      },
      peek: () => available[0],
    }),
    attach(balancer) {
      const hook = () => void told.push(`${name}: start`)
      told.push(`${name}: attached to ${balancer.name}`)
      balancer.addHook('onAttemptStart', hook)
      return () => {
        told.push(`${name}: detached`)
        balancer.removeHook('onAttemptStart', hook)
      }
    },
  })
  return { asked, told, policy }
}

async function start(
  t: TestContext,
  policy: PolicyOption,
  further: Readonly<Record<string, NamedPolicy>> = {},
  listener?: RequestListener,
) {
  const backend = await startBackend(t, listener)
  const app = Fastify({ trustProxy: '127.0.0.1' })
  app.decorate('balancerPolicies', { ...further })
  await app.register(plugin, { backends: [backend.url], policy })
  return { ...(await listenApp(t, app)), backend }
}

test('a policy sees the address of the client, and the body if it is here', async (t) => {
  const { asked, policy } = noting()
  const { url } = await start(t, policy('own'))
  await ask(`${url}/a`, { headers: { 'x-forwarded-for': '192.0.2.7' } })
  await ask(`${url}/b`, { method: 'POST', body: 'prompt' })
  await ask(`${url}/c`, { method: 'POST', body: 'x'.repeat(70_000) })
  assert.deepEqual(
    asked.map(({ url: path, address, body }) => [path, address, body]),
    [
      ['/a', '192.0.2.7', undefined],
      ['/b', '127.0.0.1', 'prompt'],
      ['/c', '127.0.0.1', undefined],
    ],
  )
})

test('a policy is told how many of its choices could not take the request', () => {
  const { asked, policy } = noting()
  const backends = [{ url: 'http://127.0.0.1:1', maxInFlight: 1 }, 'http://127.0.0.1:2']
  const balancer = new Balancer({ backends, policy: policy('own') })
  balancer.backends[0]!.inFlight = 1
  const attempt = balancer.pick({ method: 'GET', url: '/', headers: {}, attempts: [] } as never)
  assert.equal(typeof attempt === 'object' && attempt.backend, balancer.backends[1])
  assert.deepEqual(
    asked.map(({ count }) => count),
    [0, 1, 2, 3],
  )
})

test('null from a policy means that no other backend may get the request', async (t) => {
  const refusing: Policy = { name: 'refusing', over: () => ({ pick: () => null, peek: () => null }) }
  const { app, url, backend } = await start(t, refusing)
  assert.equal((await ask(url)).status, 503)
  assert.equal(backend.received.length, 0)
  assert.equal(app.balancer.explain().picked, null)
})

/** A policy that refuses every backend, and prefers none. */
const refusingAll: Policy = {
  name: 'refusing-all',
  over: () => ({ pick: () => undefined, peek: () => undefined, refuses: () => true }),
}

test('where every backend is refused, a request takes any, at once or after it has waited', async (t) => {
  const held: ServerResponse[] = []
  const { app, url } = await start(t, refusingAll, {}, (_request, response) => void held.push(response))
  const { balancer } = app
  balancer.limit(balancer.backends[0]!, 1)
  const first = ask(url)
  await until('it is there', () => held.length === 1)
  const second = ask(url)
  await until('it waits', () => balancer.queue.length === 1)
  held[0]!.end()
  await until('it has the place', () => held.length === 2)
  held[1]!.end()
  assert.deepEqual([(await first).status, (await second).status], [200, 200])
})

test('explain says what pick does: a bound client waits for its backend, and where all are refused any will do', () => {
  const backends = ['http://127.0.0.1:1', 'http://127.0.0.1:2']
  const first: Policy = {
    name: 'bound',
    over: ([one]) => ({ pick: () => one, peek: () => one, bound: () => one }),
  }
  const binding = new Balancer({ backends, policy: first })
  binding.backends[0]!.inFlight = binding.backends[0]!.limit
  const request = { method: 'GET', url: '/', headers: {}, attempts: [] } as never
  assert.equal(binding.explain().picked, null)
  assert.equal(binding.pick(request), 'saturated')
  const refusing = new Balancer({ backends, policy: refusingAll })
  const { picked } = refusing.explain()
  const attempt = refusing.pick(request)
  assert.equal(typeof attempt === 'object' && attempt.backend.id, picked)
})

test('a policy is attached once, and detached when another takes its place or the balancer closes', async (t) => {
  const { told, policy } = noting()
  const { app, url } = await start(t, policy('first'))
  const list = app.balancer.backends.map(({ url: one }) => one)
  await ask(url)
  const same = await app.balancer.prepare({ backends: list, policy: app.balancer.policy })
  same.commit()
  assert.deepEqual(told, ['first: attached to default', 'first: start'])
  const other = await app.balancer.prepare({ backends: list, policy: policy('second') })
  other.commit()
  await ask(url)
  await app.close()
  assert.deepEqual(told.slice(2), [
    'first: detached',
    'second: attached to default',
    'second: start',
    'second: detached',
  ])
})

test('what a policy throws when it is attached does not keep the balancer from forwarding', async (t) => {
  const { policy } = noting()
  const throwing = {
    ...policy('own'),
    attach() {
      throw new Error('no timer')
    },
  }
  const { url } = await start(t, throwing)
  assert.equal((await ask(url)).status, 200)
})

const last: NamedPolicy = {
  description: 'The last of some',
  settings: Type.Object({ of: Type.Integer({ minimum: 1, default: 2 }), policy: Type.Optional(Type.Any()) }),
  faults: ({ of }) => (of === 13 ? ['of: 13 is bad luck'] : []),
  make({ of }, parts) {
    const inner = parts.inner()
    return {
      name: 'last',
      over: (available) => ({
        ...inner.over(available.slice(0, of as number)),
        basis: () => ({ of: of as number, inner: inner.name }),
      }),
    }
  },
}

test('a name in `policy` is found among those that the app knows, with settings and a policy within', async (t) => {
  const option = { name: 'last', policy: { name: 'random' } } as never
  const { app } = await start(t, option, { last })
  assert.equal(app.balancer.policy.name, 'last')
  assert.deepEqual(app.balancer.explain().policy, { name: 'last', of: 2, inner: 'random' })
  const list = app.balancer.backends.map(({ url }) => url)
  const { policy } = app.balancer
  assert.deepEqual((await prepared(app.balancer, list, option)).changes, [])
  const { changes } = await prepared(app.balancer, list, { name: 'last', of: 3, policy: { name: 'random' } } as never)
  assert.deepEqual(changes, [{ option: 'policy.of', from: 2, to: 3 }])
  assert.notEqual(app.balancer.policy, policy)
})

async function prepared(balancer: Balancer, backends: readonly string[], policy: PolicyOption) {
  const change = await balancer.prepare({ backends: [...backends], policy })
  change.commit()
  return change
}

test('settings are checked by the policy that they are for', () => {
  const faults = (policy: unknown) => {
    try {
      void new Balancer({ policy: policy as never }, undefined, { ...corePolicies, last })
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.equal(faults('last'), '')
  assert.match(faults({ name: 'last', of: 0 }), /policy\.of: expected a whole number of at least 1, got 0/)
  assert.match(faults({ name: 'last', of: 13 }), /policy\.of: 13 is bad luck/)
  assert.match(faults({ name: 'last', policy: { name: 'rndom' } }), /policy\.policy: .*did you mean 'random'/)
  assert.match(faults({ name: 'last', policy: { name: 'last', of: 'x' } }), /policy\.policy\.of: expected/)
  assert.match(faults({ name: 'last', policy: null }), /policy\.policy: expected round-robin, .*got null/)
  assert.match(faults('lsat'), /policy: expected round-robin, .*last, or an object.*did you mean 'last'/)
})

test('a client that no backend may serve does not wait for one', () => {
  const set = backendSet([], 1, 0)
  const seeker = { attempts: [] } as never
  for (const [answer, waits] of [
    [null, false],
    [undefined, true],
  ] as const) {
    const policy: Policy = {
      name: 'own',
      over: () => ({ pick: () => answer, peek: () => answer, bound: () => answer }),
    }
    const [backend] = new Balancer({ backends: ['http://127.0.0.1:1'] }).backends
    const picking = new Picking(policy, { ...set, available: [backend!] }, { lastResort: false }, () => undefined)
    assert.equal(picking.mayWait(seeker), waits)
  }
})

test('a policy is attached before it sees the first set', () => {
  const told: string[] = []
  const policy: Policy = {
    name: 'own',
    over(available) {
      told.push('over')
      return { pick: () => available[0], peek: () => available[0] }
    },
    attach: () => void told.push('attach'),
  }
  void new Balancer({ backends: ['http://127.0.0.1:1'], policy })
  assert.deepEqual(told, ['attach', 'over'])
})

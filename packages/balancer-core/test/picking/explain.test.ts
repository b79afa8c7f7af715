import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../src/backends/backend.ts'
import { backendSet } from '../../src/backends/backend-set.ts'
import { Balancer } from '../../src/balancer.ts'
import { explain } from '../../src/picking/explain.ts'
import type { BalancerOptions } from '../../src/options.ts'
import { corePolicies as policies } from '../../src/picking/policies/by-name.ts'
import type { PolicyName } from '../../src/picking/policies/policy-option.ts'
import type { Picker, PickRequest } from '../../src/picking/policy.ts'

const request: PickRequest = { method: 'GET', url: '/', headers: {} }

function backendOf(id: string): Backend {
  return new Backend(id, `http://${id}.test`, { weight: 1, priority: 0, maxInFlight: 2, tags: [] }, {} as Pool)
}

/** A picker that would pick this one, and complains when it is made to. */
function pickerOf(next: Backend | undefined): Picker {
  return { pick: () => assert.fail('it picked'), peek: () => next }
}

function balancing(t: TestContext, options: BalancerOptions = {}): Balancer {
  const balancer = new Balancer({
    backends: ['a', 'b', 'c'].map((id) => ({ url: `http://${id}.test`, id, maxInFlight: 2 })),
    ...options,
  })
  t.after(() => balancer.close())
  return balancer
}

function picked(balancer: Balancer, ...tried: Backend[]): string {
  const attempts = tried.map((backend) => ({ backend }))
  const attempt = balancer.pick({ ...request, attempts } as unknown as Parameters<Balancer['pick']>[0])
  return typeof attempt === 'object' ? attempt.backend.id : attempt
}

test('says of each backend what counts', () => {
  const [a, b] = [backendOf('a'), backendOf('b')]
  a.configure({ weight: 3, priority: 0, maxInFlight: 7, tags: [] })
  a.restrict(5, 'test')
  a.warm(0.5)
  a.inFlight = 2
  a.penalty = 1
  a.tunnels.add({} as never)
  a.tunnelLoad = 0.1
  b.configure({ weight: 1, priority: 4, maxInFlight: 2, tags: [] })
  const veto = { by: 'health-check', reason: 'it is down', hard: false, since: 5, evidence: 'seen', lift: () => {} }
  b.vetoes = [veto]
  const picker = {
    ...pickerOf(a),
    score: ({ id }: Backend) => id.length / 4,
    details: ({ id }: Backend) => ({ slot: id === 'a' ? 1 : 2 }),
    basis: ({ url }: PickRequest) => ({ key: url === '/' ? 'x' : 'y' }),
  }
  assert.deepEqual(explain(backendSet([a, b], 1, 0), 'own', picker, 0, request), {
    picked: 'a',
    panicking: false,
    policy: { name: 'own', key: 'x' },
    backends: [
      {
        id: 'a',
        available: true,
        eligible: true,
        vetoes: [],
        inFlight: 2,
        maxInFlight: 7,
        limit: 5,
        tunnels: 1,
        load: 3.1,
        weight: 3,
        effectiveWeight: 1.5,
        priority: 0,
        score: 0.25,
        details: { slot: 1 },
      },
      {
        id: 'b',
        available: false,
        eligible: false,
        vetoes: [{ by: 'health-check', reason: 'it is down', hard: false, since: 5, evidence: 'seen' }],
        inFlight: 0,
        maxInFlight: 2,
        limit: 2,
        tunnels: 0,
        load: 0,
        weight: 1,
        effectiveWeight: 1,
        priority: 4,
        score: null,
        details: { slot: 2 },
      },
    ],
  })
})

test('a backend of less preferred priority is healthy, and is not eligible', () => {
  const [a, b] = [backendOf('a'), backendOf('b')]
  b.priority = 1
  const { backends } = explain(backendSet([a, b], 1, 0), 'own', pickerOf(a), 0, request)
  assert.deepEqual(
    backends.map(({ id, available, eligible }) => [id, available, eligible]),
    [
      ['a', true, true],
      ['b', true, false],
    ],
  )
})

test('in panic, a vetoed backend is eligible', () => {
  const a = backendOf('a')
  a.vetoes = [{ by: 'health-check', reason: 'it is down', hard: false, since: 5, lift: () => {} }]
  const { panicking, picked: id, backends } = explain(backendSet([a], 1, 0), 'own', pickerOf(a), 0, request)
  assert.equal(panicking, true)
  assert.equal(id, 'a')
  assert.deepEqual([backends[0]!.available, backends[0]!.eligible], [false, true])
})

test('nothing is picked where there is nothing, or no room', () => {
  assert.equal(explain(backendSet([], 1, 0), 'own', pickerOf(undefined), 0, request).picked, null)
  const a = backendOf('a')
  a.inFlight = 2
  assert.equal(explain(backendSet([a], 1, 0), 'own', pickerOf(a), 0, request).picked, null)
})

test('a policy that compares nothing gives no score', () => {
  const a = backendOf('a')
  assert.equal(explain(backendSet([a], 1, 0), 'own', pickerOf(a), 0, request).backends[0]!.score, null)
})

test('the policy sees the request that is asked about', (t) => {
  const seen: PickRequest[] = []
  const balancer = balancing(t, {
    policy: {
      name: 'own',
      over: ([first]) => ({
        pick: () => first,
        peek: (given) => {
          seen.push(given)
          return first
        },
      }),
    },
  })
  balancer.explain()
  balancer.explain({ method: 'POST', url: '/x', headers: { cookie: 'a=1' } })
  balancer.explain({ url: '/y' })
  assert.deepEqual(seen, [
    { method: 'GET', url: '/', headers: {} },
    { method: 'POST', url: '/x', headers: { cookie: 'a=1' } },
    { method: 'GET', url: '/y', headers: {} },
  ])
})

for (const name of Object.keys(policies) as PolicyName[]) {
  test(`names whom ${name} picks next, and changes nothing`, (t) => {
    let state = 1
    const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
    const balancer = balancing(t, { policy: name, random })
    for (let round = 0; round < 30; round++) {
      balancer.backend('b').inFlight = round % 2
      const said = balancer.explain().picked
      assert.equal(balancer.explain().picked, said)
      assert.equal(picked(balancer), said)
    }
  })
}

test('names whom the balancer picks when the next in turn has no room', (t) => {
  // Whoever is full, and whoever is next, the turn passes on to the one behind.
  for (const turns of [0, 1, 2, 3, 4, 5]) {
    for (const full of ['a', 'b', 'c', 'd', 'ab', 'bc', 'cd', 'da', 'ac', 'bd', 'abc', 'cda']) {
      const backends = ['a', 'b', 'c', 'd'].map((id) => ({ url: `http://${id}.test`, id, maxInFlight: 2 }))
      const balancer = balancing(t, { backends })
      for (let turn = 0; turn < turns; turn++) picked(balancer)
      for (const id of full.split('')) balancer.backend(id).inFlight = 2
      const said = balancer.explain().picked
      assert.equal(said, picked(balancer), `after ${turns} turns, with ${full} full`)
    }
  }
})

test('names whom the balancer finds when the policy names one without room, also in a smaller set than before', (t) => {
  for (const searches of [0, 1, 2, 3, 4, 5, 6]) {
    for (const vetoed of ['', 'e', 'b', 'de', 'bc', 'cd', 'bcd']) {
      const backends = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ url: `http://${id}.test`, id, maxInFlight: 2 }))
      const first = { name: 'first', over: ([one]: readonly Backend[]) => ({ pick: () => one, peek: () => one }) }
      const balancer = balancing(t, { backends, policy: first })
      balancer.backend('a').inFlight = 2
      for (let search = 0; search < searches; search++) picked(balancer)
      for (const id of vetoed.split('')) balancer.veto(balancer.backend(id), { by: 'test', reason: 'opinion' })
      const said = balancer.explain().picked
      assert.equal(said, picked(balancer), `after ${searches} searches, without ${vetoed}`)
    }
  }
})

test('sends nothing, asks no hook and counts nothing', (t) => {
  const balancer = balancing(t)
  balancer.addHook('onPick', () => assert.fail('a hook was asked'))
  const before = JSON.stringify(balancer.backends)
  balancer.explain({ url: '/x' })
  assert.equal(JSON.stringify(balancer.backends), before)
  assert.equal(balancer.exchanges, 0)
})

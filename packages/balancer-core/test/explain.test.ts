import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../src/backend.ts'
import { backendSet } from '../src/backend-set.ts'
import { Balancer } from '../src/balancer.ts'
import { explain } from '../src/explain.ts'
import type { BalancerOptions } from '../src/options.ts'
import { policies, type PolicyName } from '../src/policies/by-name.ts'
import type { Picker, PickRequest } from '../src/policy.ts'

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
  a.inFlight = 2
  a.penalty = 1
  b.configure({ weight: 1, priority: 4, maxInFlight: 2, tags: [] })
  const veto = { by: 'health-check', reason: 'it is down', hard: false, since: 5, lift: () => {} }
  b.vetoes = [veto]
  const picker = { ...pickerOf(a), score: ({ id }: Backend) => id.length / 4 }
  assert.deepEqual(explain(backendSet([a, b], 1, 0), picker, request), {
    picked: 'a',
    panicking: false,
    backends: [
      {
        id: 'a',
        available: true,
        vetoes: [],
        inFlight: 2,
        maxInFlight: 7,
        load: 3,
        weight: 3,
        priority: 0,
        score: 0.25,
      },
      {
        id: 'b',
        available: false,
        vetoes: [{ by: 'health-check', reason: 'it is down', hard: false, since: 5 }],
        inFlight: 0,
        maxInFlight: 2,
        load: 0,
        weight: 1,
        priority: 4,
        score: null,
      },
    ],
  })
})

test('a backend of less preferred priority has no veto, and is not available', () => {
  const [a, b] = [backendOf('a'), backendOf('b')]
  b.priority = 1
  const { backends } = explain(backendSet([a, b], 1, 0), pickerOf(a), request)
  assert.deepEqual(
    backends.map(({ id, available, vetoes }) => [id, available, vetoes.length]),
    [
      ['a', true, 0],
      ['b', false, 0],
    ],
  )
})

test('in panic, a vetoed backend is available', () => {
  const a = backendOf('a')
  a.vetoes = [{ by: 'health-check', reason: 'it is down', hard: false, since: 5, lift: () => {} }]
  const { panicking, picked: id, backends } = explain(backendSet([a], 1, 0), pickerOf(a), request)
  assert.equal(panicking, true)
  assert.equal(id, 'a')
  assert.equal(backends[0]!.available, true)
})

test('nothing is picked where there is nothing, or no room', () => {
  assert.equal(explain(backendSet([], 1, 0), pickerOf(undefined), request).picked, null)
  const a = backendOf('a')
  a.inFlight = 2
  assert.equal(explain(backendSet([a], 1, 0), pickerOf(a), request).picked, null)
})

test('a policy that compares nothing gives no score', () => {
  const a = backendOf('a')
  assert.equal(explain(backendSet([a], 1, 0), pickerOf(a), request).backends[0]!.score, null)
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
  const balancer = balancing(t)
  assert.equal(picked(balancer), 'a')
  balancer.backend('b').inFlight = 2
  // b is next in turn and full; the turn passes to c, not back to a.
  const said = balancer.explain().picked
  assert.equal(said, picked(balancer))
})

test('sends nothing, asks no hook and counts nothing', (t) => {
  const balancer = balancing(t)
  balancer.addHook('onPick', () => assert.fail('a hook was asked'))
  const before = JSON.stringify(balancer.backends)
  balancer.explain({ url: '/x' })
  assert.equal(JSON.stringify(balancer.backends), before)
  assert.equal(balancer.exchanges, 0)
})

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { Balancer } from '../../src/balancer.ts'
import type { BalancerOptions } from '../../src/options.ts'

function balancing(t: TestContext, options: BalancerOptions = {}) {
  const clock = new ManualClock()
  const backends = ['a', 'b', 'c'].map((id) => ({ url: `http://${id}.test`, id }))
  const balancer = new Balancer({ backends, clock, ...options })
  t.after(() => balancer.close())
  const available = () => balancer.set.available.map(({ id }) => id).join('')
  return { balancer, clock, available, backend: (id: string) => balancer.backend(id) }
}

test('a vetoed backend is not available until the veto is lifted', (t) => {
  const { balancer, available, backend } = balancing(t)
  const veto = balancer.veto(backend('b'), { by: 'health-check', reason: 'it is down' })
  assert.equal(available(), 'ac')
  assert.equal(backend('b').available, false)
  veto.lift()
  assert.equal(available(), 'abc')
  assert.equal(backend('b').available, true)
})

test('every veto must be lifted, each by its own handle', (t) => {
  const { balancer, available, backend } = balancing(t)
  const one = balancer.veto(backend('b'), { by: 'health-check', reason: 'it is down' })
  const other = balancer.veto(backend('b'), { by: 'health-check', reason: 'it is down' })
  one.lift()
  one.lift()
  assert.equal(available(), 'ac')
  assert.deepEqual(backend('b').vetoes, [other])
  other.lift()
  assert.equal(available(), 'abc')
})

test('a veto says who laid it, why, how and when', (t) => {
  t.mock.method(Date, 'now', () => 1_700_000_000_000)
  const { balancer, backend } = balancing(t)
  const veto = balancer.veto(backend('a'), { by: 'admin', reason: 'new disk', hard: true })
  balancer.veto(backend('a'), { by: 'circuit-breaker', reason: 'open' })
  assert.deepEqual(
    backend('a').vetoes.map(({ by, reason, hard, since }) => ({ by, reason, hard, since })),
    [
      { by: 'admin', reason: 'new disk', hard: true, since: 1_700_000_000_000 },
      { by: 'circuit-breaker', reason: 'open', hard: false, since: 1_700_000_000_000 },
    ],
  )
  assert.equal(backend('a').vetoes[0], veto)
})

test('a veto may carry what its reason rests on', (t) => {
  const { balancer, backend } = balancing(t)
  balancer.veto(backend('b'), { by: 'test', reason: 'too many', evidence: { failures: 5 } })
  assert.deepEqual(backend('b').vetoes[0]!.evidence, { failures: 5 })
  assert.deepEqual(balancer.explain().backends[1]!.vetoes[0]!.evidence, { failures: 5 })
})

test('a veto does not copy the list, which may be long', (t) => {
  const { balancer, backend } = balancing(t)
  const { all } = balancer.set
  balancer.veto(backend('b'), { by: 'test', reason: 'opinion' })
  assert.equal(balancer.set.all, all)
})

test('with a time to live it lifts itself', (t) => {
  const { balancer, clock, available, backend } = balancing(t)
  balancer.veto(backend('b'), { by: 'test', reason: 'for a while', ttl: 30_000 })
  clock.advance(29_999)
  assert.equal(available(), 'ac')
  clock.advance(1)
  assert.equal(available(), 'abc')
  assert.equal(clock.pending, 0)
})

test('lifted before its time, it leaves no timer', (t) => {
  const { balancer, clock, backend } = balancing(t)
  const veto = balancer.veto(backend('b'), { by: 'test', reason: 'for a while', ttl: 30_000 })
  assert.equal(clock.pending, 1)
  veto.lift()
  assert.equal(clock.pending, 0)
})

test('when all are vetoed softly, all are used; hard ones stay out', (t) => {
  const { balancer, available, backend } = balancing(t)
  balancer.veto(backend('a'), { by: 'test', reason: 'opinion' })
  balancer.veto(backend('b'), { by: 'test', reason: 'order', hard: true })
  const last = balancer.veto(backend('c'), { by: 'test', reason: 'opinion' })
  assert.equal(available(), 'ac')
  assert.equal(balancer.set.panicking, true)
  last.lift()
  assert.equal(available(), 'c')
  assert.equal(balancer.set.panicking, false)
})

test('without panic, nothing is left when all are vetoed', (t) => {
  const { balancer, available, backend } = balancing(t, { panicThreshold: false })
  for (const id of ['a', 'b', 'c']) balancer.veto(backend(id), { by: 'test', reason: 'opinion' })
  assert.equal(available(), '')
})

test('a veto builds a new set, leaves the one before as it was, and moves no revision', (t) => {
  const { balancer, backend } = balancing(t)
  const before = balancer.set
  balancer.veto(backend('b'), { by: 'test', reason: 'opinion' })
  assert.notEqual(balancer.set, before)
  assert.equal(before.available.length, 3)
  assert.equal(balancer.set.revision, before.revision)
  assert.deepEqual(balancer.set.all, before.all)
})

test('a vetoed backend is never picked, and the round goes on among the others', (t) => {
  const { balancer, backend } = balancing(t)
  const picked = () => {
    const attempt = balancer.pick({ attempts: [] } as unknown as Parameters<Balancer['pick']>[0])
    return typeof attempt === 'object' ? attempt.backend.id : attempt
  }
  assert.equal(picked(), 'a')
  const veto = balancer.veto(backend('b'), { by: 'test', reason: 'opinion' })
  assert.deepEqual([picked(), picked(), picked()], ['c', 'a', 'c'])
  veto.lift()
  assert.deepEqual([picked(), picked(), picked()], ['a', 'b', 'c'])
})

test('the state is that of the order by its name', (t) => {
  const { balancer, backend } = balancing(t)
  const a = backend('a')
  assert.equal(a.state, 'ready')
  balancer.veto(a, { by: 'drain', reason: 'only an opinion' })
  balancer.veto(a, { by: 'somebody', reason: 'an order of another kind', hard: true })
  assert.equal(a.state, 'ready')
  const maintenance = balancer.veto(a, { by: 'maintenance', reason: 'new disk', hard: true })
  assert.equal(a.state, 'maintenance')
  maintenance.lift()
  balancer.veto(a, { by: 'drain', reason: 'drained', hard: true })
  assert.equal(a.state, 'drain')
  balancer.veto(a, { by: 'maintenance', reason: 'new disk', hard: true })
  assert.equal(a.state, 'maintenance')
})

test('ready lifts drain and maintenance, and nothing that belongs to others', (t) => {
  const { balancer, backend } = balancing(t)
  const a = backend('a')
  balancer.veto(a, { by: 'drain', reason: 'drained', hard: true })
  balancer.veto(a, { by: 'maintenance', reason: 'new disk', hard: true })
  const opinion = balancer.veto(a, { by: 'health-check', reason: 'it is down' })
  const order = balancer.veto(a, { by: 'zone-outage', reason: 'the zone is being evacuated', hard: true })
  balancer.ready('a')
  assert.equal(a.state, 'ready')
  assert.deepEqual(a.vetoes, [opinion, order])
})

test('vetoes stay with a backend that is kept, and not with another one at its id', async (t) => {
  const { balancer, available, backend } = balancing(t)
  const onA = balancer.veto(backend('a'), { by: 'test', reason: 'opinion' })
  const onB = balancer.veto(backend('b'), { by: 'test', reason: 'opinion' })
  await balancer.setBackends([
    { url: 'http://a.test', id: 'a', weight: 5 },
    { url: 'http://other.test', id: 'b' },
    { url: 'http://c.test', id: 'c' },
  ])
  assert.equal(available(), 'bc')
  // That of a backend that has gone still has its handle; it changes nothing any more.
  onB.lift()
  assert.equal(available(), 'bc')
  onA.lift()
  assert.equal(available(), 'abc')
})

function setsSeen(t: TestContext, balancer: Balancer): string[] {
  const over = balancer.policy.over.bind(balancer.policy)
  const sets: string[] = []
  t.mock.method(balancer.policy, 'over', (now: Parameters<typeof over>[0]) => {
    sets.push(now.map(({ id }) => id).join(''))
    return over(now)
  })
  return sets
}

test('vetoes of one moment cost one set, however many they are, and whether anybody asks for it or not', async (t) => {
  const { balancer, available, backend } = balancing(t)
  const sets = setsSeen(t, balancer)
  const veto = balancer.veto(backend('a'), { by: 'test', reason: 'opinion' })
  balancer.veto(backend('b'), { by: 'test', reason: 'opinion' })
  veto.lift()
  assert.deepEqual(sets, [])
  assert.equal(available(), 'ac')
  assert.deepEqual(sets, ['ac'])
  await Promise.resolve()
  assert.deepEqual(sets, ['ac'])

  balancer.veto(backend('a'), { by: 'test', reason: 'opinion' })
  await Promise.resolve()
  assert.deepEqual(sets, ['ac', 'c'])
})

test('whoever picks in the moment of a veto is not given the vetoed one', (t) => {
  const { balancer, backend } = balancing(t)
  for (const id of ['a', 'b']) {
    balancer.veto(backend(id), { by: 'test', reason: 'opinion' })
    const attempt = balancer.pick({ attempts: [] } as unknown as Parameters<Balancer['pick']>[0])
    assert.ok(typeof attempt === 'object' && attempt.backend.id !== id)
  }
})

test('ten thousand vetoes of one moment take no longer than a few sets', (t) => {
  const backends = Array.from({ length: 10_000 }, (_, index) => `http://10.0.${index >> 8}.${index & 255}`)
  const balancer = new Balancer({ backends })
  t.after(() => balancer.close())
  const sets = setsSeen(t, balancer)
  for (const one of balancer.backends) balancer.veto(one, { by: 'test', reason: 'opinion' })
  assert.equal(balancer.set.panicking, true)
  assert.equal(sets.length, 1)
})

test('a veto that could not be laid leaves no timer behind, which would throw where nobody catches it', (t) => {
  const { balancer, clock } = balancing(t)
  const none = balancer.backends[3]!
  assert.throws(() => balancer.veto(none, { by: 'admin', reason: 'of no backend', ttl: 1000 }), TypeError)
  clock.advance(1000)
})

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Backend } from '../../src/backends/backend.ts'
import { Balancer } from '../../src/balancer.ts'
import type { BalancerOptions } from '../../src/options.ts'
import { corePolicies as policies } from '../../src/picking/policies/by-name.ts'
import type { PolicyName } from '../../src/picking/policies/policy-option.ts'

const a = { url: 'http://a.test', id: 'a' }
const b = { url: 'http://b.test', id: 'b' }

function balancing(t: TestContext, options: BalancerOptions = {}) {
  const clock = new ManualClock(5000)
  const balancer = new Balancer({ backends: [a, b], slowStart: 1000, clock, ...options })
  t.after(() => balancer.close())
  /** How much of its weight it has, once the vetoes laid and lifted by now have had their effect. */
  function warmth(id: string): number {
    const { weight, effectiveWeight } = balancer.set.all.find((backend) => backend.id === id)!
    return effectiveWeight / weight
  }
  return { balancer, clock, warmth }
}

function picks(balancer: Balancer, count: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let index = 0; index < count; index++) {
    const attempt = balancer.pick({ attempts: [] } as unknown as Parameters<Balancer['pick']>[0])
    assert.ok(typeof attempt === 'object')
    counts[attempt.backend.id] = (counts[attempt.backend.id] ?? 0) + 1
  }
  return counts
}

test('those that the balancer begins with have their whole weight', (t) => {
  const { balancer, clock, warmth } = balancing(t)
  assert.deepEqual([warmth('a'), warmth('b')], [1, 1])
  assert.equal(clock.pending, 0)
  assert.deepEqual(picks(balancer, 4), { a: 2, b: 2 })
})

test('one that joins grows from a tenth to its whole weight, in twenty steps', async (t) => {
  const { balancer, clock, warmth } = balancing(t)
  await balancer.add({ url: 'http://c.test', id: 'c', weight: 4 })
  const seen = [warmth('c')]
  for (let step = 0; step < 21; step++) {
    clock.advance(50)
    seen.push(warmth('c'))
  }
  const expected = [0.1, 0.1, 0.1]
  for (let step = 3; step <= 20; step++) expected.push(step / 20)
  assert.deepEqual(seen, [...expected, 1])
  assert.equal(balancer.backend('c').effectiveWeight, 4)
  assert.deepEqual([warmth('a'), warmth('b')], [1, 1])
  assert.equal(clock.pending, 0)
})

test('its share follows', async (t) => {
  const { balancer, clock } = balancing(t)
  await balancer.add({ url: 'http://c.test', id: 'c' })
  assert.deepEqual(picks(balancer, 21), { a: 10, b: 10, c: 1 })
  clock.advance(500)
  assert.deepEqual(picks(balancer, 50), { a: 20, b: 20, c: 10 })
  clock.advance(500)
  assert.deepEqual(picks(balancer, 30), { a: 10, b: 10, c: 10 })
})

test('one that comes back begins anew', (t) => {
  const { balancer, clock, warmth } = balancing(t)
  const veto = () => balancer.veto(balancer.backend('b'), { by: 'test', reason: 'opinion' })
  const first = veto()
  assert.equal(balancer.set.available.length, 1)
  first.lift()
  assert.equal(warmth('b'), 0.1)
  clock.advance(600)
  assert.equal(warmth('b'), 0.6)
  const second = veto()
  clock.advance(100)
  second.lift()
  assert.equal(warmth('b'), 0.1)
  clock.advance(999)
  assert.ok(warmth('b') < 1)
  clock.advance(1)
  assert.equal(warmth('b'), 1)
})

test('one that stays is not held back when others change', async (t) => {
  const { balancer, clock, warmth } = balancing(t)
  await balancer.update('a', { weight: 3 })
  balancer.veto(balancer.backend('b'), { by: 'test', reason: 'opinion' })
  assert.equal(warmth('a'), 1)
  assert.equal(clock.pending, 0)
})

test('each has its own time', async (t) => {
  const { balancer, clock, warmth } = balancing(t)
  await balancer.add({ url: 'http://c.test', id: 'c' })
  clock.advance(500)
  await balancer.add({ url: 'http://d.test', id: 'd' })
  assert.deepEqual([warmth('c'), warmth('d')], [0.5, 0.1])
  assert.equal(clock.pending, 1, 'one timer serves both')
  clock.advance(500)
  assert.deepEqual([warmth('c'), warmth('d')], [1, 0.5])
  clock.advance(500)
  assert.deepEqual([warmth('c'), warmth('d')], [1, 1])
  assert.equal(clock.pending, 0)
})

for (const policy of Object.keys(policies) as PolicyName[]) {
  test(`under ${policy}, one that joins gets a small share at first, and its whole one in the end`, async (t) => {
    // A generator of known quality (mulberry32), so that the counts are the same each time.
    let seed = 1
    const random = () => {
      seed = (seed + 0x6d2b79f5) | 0
      let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    }
    const { balancer, clock } = balancing(t, { policy, random })
    await balancer.add({ url: 'http://c.test', id: 'c' })
    /** The share of `c` of 3000 requests, of which 30 are always under way, ended in the order of their beginning. */
    function share(): number {
      const running: Backend[] = []
      let count = 0
      for (let turn = 0; turn < 3000; turn++) {
        const attempt = balancer.pick({ attempts: [] } as unknown as Parameters<Balancer['pick']>[0])
        assert.ok(typeof attempt === 'object')
        attempt.backend.inFlight++
        running.push(attempt.backend)
        if (running.length > 30) running.shift()!.inFlight--
        if (attempt.backend.id === 'c') count++
      }
      for (const backend of running) backend.inFlight--
      return count / 3000
    }
    const first = share()
    assert.ok(first > 0.01 && first < 0.12, `a tenth of a share at first: ${first}`)
    clock.advance(1000)
    const whole = share()
    assert.ok(whole > 0.31 && whole < 0.36, `a third in the end: ${whole}`)
  })
}

test('any length of time ends with the whole weight, and not more', async (t) => {
  for (const slowStart of [1, 7, 999, 1001, 30_011]) {
    const { balancer, clock } = balancing(t, { slowStart })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await balancer.add({ url: 'http://c.test', id: 'c', weight: 3 })
    clock.advance(slowStart * 1.06)
    assert.equal(balancer.backend('c').effectiveWeight, 3)
    assert.equal(clock.pending, 0)
  }
})

test('may begin anew for one that is in use, and for no other', (t) => {
  const { balancer, clock, warmth } = balancing(t)
  balancer.warmUp(balancer.backend('b'))
  assert.deepEqual([warmth('a'), warmth('b')], [1, 0.1])
  assert.deepEqual(picks(balancer, 11), { a: 10, b: 1 })
  clock.advance(500)
  balancer.warmUp(balancer.backend('b'))
  clock.advance(200)
  assert.deepEqual([warmth('a'), warmth('b')], [1, 0.2])
  clock.advance(800)
  assert.deepEqual([warmth('a'), warmth('b')], [1, 1])
  const veto = balancer.veto(balancer.backend('a'), { by: 'test', reason: 'out' })
  balancer.warmUp(balancer.backend('a'))
  assert.deepEqual([warmth('a'), clock.pending], [1, 0])
  veto.lift()
  assert.equal(warmth('a'), 0.1)
})

test('without slow start, nothing is held back, whoever asks for it', (t) => {
  const { balancer, clock, warmth } = balancing(t, { slowStart: 0 })
  balancer.warmUp(balancer.backend('b'))
  assert.deepEqual([warmth('b'), clock.pending], [1, 0])
})

test('without slow start, one that joins has its whole weight at once', async (t) => {
  const { balancer, clock, warmth } = balancing(t, { slowStart: 0 })
  await balancer.add({ url: 'http://c.test', id: 'c' })
  assert.equal(warmth('c'), 1)
  assert.equal(clock.pending, 0)
})

test('closing takes the timer back', async (t) => {
  const { balancer, clock } = balancing(t)
  await balancer.add({ url: 'http://c.test', id: 'c' })
  assert.equal(clock.pending, 1)
  await balancer.close()
  assert.equal(clock.pending, 0)
})

test('a fleet that comes back as one shares evenly, and has its weights back in the end', async (t) => {
  const { balancer, clock } = balancing(t, { backends: [a, { ...b, weight: 3 }], panicThreshold: false })
  const vetoes = balancer.backends.map((backend) => balancer.veto(backend, { by: 'test', reason: 'opinion' }))
  for (const veto of vetoes) veto.lift()
  assert.deepEqual(picks(balancer, 8), { a: 2, b: 6 })
  clock.advance(1000)
  assert.deepEqual(picks(balancer, 8), { a: 2, b: 6 })
})

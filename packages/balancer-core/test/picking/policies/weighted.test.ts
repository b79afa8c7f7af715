import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../../src/backends/backend.ts'
import { weighted } from '../../../src/picking/policies/weighted.ts'
import type { Picker, PickRequest } from '../../../src/picking/policy.ts'

const request: PickRequest = { method: 'GET', url: '/', headers: {} }

function backendOf(id: string, weight: number): Backend {
  return new Backend(id, `http://${id}.test`, { weight, priority: 0, maxInFlight: 128, tags: [] }, {} as Pool)
}

function reweigh(backend: Backend, weight: number): void {
  backend.configure({ weight, priority: 0, maxInFlight: 128, tags: [] })
}

function picks(picker: Picker, count: number): string {
  return Array.from({ length: count }, () => picker.pick(request)!.id).join(' ')
}

/** The score is what a backend would have next, negated, so that lower is better. */
function creditOf(picker: Picker, backend: Backend): number {
  return -picker.score!(backend) - backend.weight
}

test('weights 5:1:1 give a a b a c a a, and leave no credit', () => {
  const backends = [backendOf('a', 5), backendOf('b', 1), backendOf('c', 1)]
  const picker = weighted().over(backends)
  for (let round = 0; round < 3; round++) {
    assert.equal(picks(picker, 7), 'a a b a c a a')
    for (const backend of backends) assert.equal(creditOf(picker, backend), 0)
  }
})

test('credit moves by the rule: each gains its weight, the picked one pays them all', () => {
  const backends = [backendOf('a', 5), backendOf('b', 1), backendOf('c', 1)]
  const picker = weighted().over(backends)
  const table = Array.from({ length: 7 }, () => {
    const { id } = picker.pick(request)!
    return [id, ...backends.map((backend) => creditOf(picker, backend))]
  })
  assert.deepEqual(table, [
    ['a', -2, 1, 1],
    ['a', -4, 2, 2],
    ['b', 1, -4, 3],
    ['a', -1, -3, 4],
    ['c', 4, -2, -2],
    ['a', 2, -1, -1],
    ['a', 0, 0, 0],
  ])
})

test('weights with a common divisor take the turns of the smaller ones', () => {
  const picks10 = picks(weighted().over([backendOf('a', 4), backendOf('b', 6)]), 10)
  assert.equal(picks10, picks(weighted().over([backendOf('a', 2), backendOf('b', 3)]), 10))
  assert.equal(picks10, 'b a b a b b a b a b')
})

test('every round of any weights gives each its weight, spread out, and ends without credit', () => {
  for (const weights of [[1], [1, 1], [3, 2, 1], [10, 1], [7, 7, 2, 1], [1, 2, 3, 4, 5, 6], [65_535, 1]]) {
    const backends = weights.map((weight, index) => backendOf(`b${index}`, weight))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const picker = weighted().over(backends)
    const counts = new Map<Backend, number>(backends.map((backend) => [backend, 0]))
    for (let count = 1; count <= total; count++) {
      const picked = picker.pick(request)!
      counts.set(picked, counts.get(picked)! + 1)
      // Smooth: nobody is ever a whole turn ahead of, or behind, what is due by now.
      const due = (count * picked.weight) / total
      assert.ok(Math.abs(counts.get(picked)! - due) < 1)
    }
    assert.deepEqual([...counts.values()], weights)
    for (const backend of backends) assert.equal(creditOf(picker, backend), 0)
  }
})

test('a weight changed at run time counts from the next pick on', () => {
  const backends = [backendOf('a', 5), backendOf('b', 1), backendOf('c', 1)] as const
  const policy = weighted()
  assert.equal(picks(policy.over(backends), 7), 'a a b a c a a')
  reweigh(backends[0], 1)
  reweigh(backends[2], 2)
  assert.equal(picks(policy.over(backends), 8), 'c a b c c a b c')
  reweigh(backends[0], 5)
  reweigh(backends[2], 1)
  assert.equal(picks(policy.over(backends), 7), 'a a b a c a a')
})

test('a weight changed within a round keeps what is owed, as a part of one pick', () => {
  const backends = [backendOf('a', 4), backendOf('b', 2), backendOf('c', 2)] as const
  const policy = weighted()
  assert.equal(picks(policy.over(backends), 2), 'a b')
  // Of 8, a is owed nothing and c half a pick, which b has had in advance; of 16, half a pick is 8.
  reweigh(backends[0], 12)
  const picker = policy.over(backends)
  assert.deepEqual(
    backends.map((backend) => creditOf(picker, backend)),
    [0, -8, 8],
  )
  assert.equal(picks(picker, 8), 'a c a a a a b a')
})

test('credit of large weights buys no turns where they have become small', () => {
  for (const [before, after] of [
    [60_000, 1, 2, 1],
    [800, 400, 2, 1],
    [99, 1, 1, 1],
    [65_535, 65_534, 1, 2],
  ].map(([a, b, c, d]) => [[a!, b!] as const, [c!, d!] as const] as const)) {
    for (const earlier of [1, 2, 50, 99, 1000]) {
      const backends = [backendOf('a', before[0]), backendOf('b', before[1])] as const
      const policy = weighted()
      picks(policy.over(backends), earlier)
      for (const [index, weight] of after.entries()) reweigh(backends[index]!, weight)
      const round = after[0] + after[1]
      const counts = picks(policy.over(backends), round).split(' ')
      for (const [index, id] of ['a', 'b'].entries()) {
        const count = counts.filter((picked) => picked === id).length
        assert.ok(
          Math.abs(count - after[index]!) <= 1,
          `${before.join(':')} to ${after.join(':')}: ${counts.join(' ')}`,
        )
      }
    }
  }
})

test('credit is kept by a backend that goes and comes back; what it took with it is made up by all', () => {
  const [a, b, c] = [backendOf('a', 2), backendOf('b', 1), backendOf('c', 1)] as const
  const policy = weighted()
  const first = policy.over([a, b])
  assert.equal(first.pick(request), a)
  assert.deepEqual([creditOf(first, a), creditOf(first, b)], [-1, 1])
  const without = policy.over([b, c])
  // b is owed a third of a pick, c nothing: a sixth above the mean, and a sixth below.
  const sixth = 2 / 6
  assert.ok(Math.abs(creditOf(without, b) - sixth) < 1e-9)
  assert.ok(Math.abs(creditOf(without, c) + sixth) < 1e-9)
  assert.equal(picks(without, 3), 'b c b')
  const both = policy.over([a, b, c])
  assert.ok(Math.abs([a, b, c].reduce((sum, backend) => sum + creditOf(both, backend), 0)) < 1e-9)
  assert.ok(creditOf(both, c) > creditOf(both, a))
})

test('two policies share no credit', () => {
  const backends = [backendOf('a', 1), backendOf('b', 1)]
  const [one, other] = [weighted().over(backends), weighted().over(backends)]
  assert.equal(picks(one, 1), 'a')
  assert.equal(picks(other, 2), 'a b')
})

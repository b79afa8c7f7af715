import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../../src/backends/backend.ts'
import { costsLess, twoChoices } from '../../../src/picking/policies/two-choices.ts'
import type { PickRequest } from '../../../src/picking/policy.ts'

const loadOf = (backend: Backend) => backend.load
const p2c = (random: () => number) => twoChoices('p2c', loadOf, random)
const isLessLoaded = (first: Backend, second: Backend) => costsLess(first, second, loadOf)
const request: PickRequest = { method: 'GET', url: '/', headers: {} }
const almostOne = 1 - Number.EPSILON / 2

function backendOf(id: string, weight = 1, inFlight = 0): Backend {
  const backend = new Backend(id, `http://${id}.test`, { weight, priority: 0, maxInFlight: 1000, tags: [] }, {} as Pool)
  backend.inFlight = inFlight
  return backend
}

/** What is picked when the two draws are these. */
function picked(backends: readonly Backend[], first: number, second: number): string {
  const draws = [first, second]
  let turn = 0
  return p2c(() => draws[turn++] ?? 0)
    .over(backends)
    .pick(request)!.id
}

/** What is picked over every pair of draws, each from the middle of one of so many equal parts. */
function countsOf(backends: readonly Backend[], firstParts: number, secondParts: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let first = 0; first < firstParts; first++) {
    for (let second = 0; second < secondParts; second++) {
      const id = picked(backends, (first + 0.5) / firstParts, (second + 0.5) / secondParts)
      counts[id] = (counts[id] ?? 0) + 1
    }
  }
  return counts
}

test('of the two drawn, the less loaded is picked, in whichever order they are drawn', () => {
  const backends = [backendOf('a', 1, 3), backendOf('b', 1, 2), backendOf('c', 1, 1)]
  // The second draw is made among the other two.
  assert.equal(picked(backends, 0.1, 0.1), 'b', 'a, then b')
  assert.equal(picked(backends, 0.1, 0.9), 'c', 'a, then c')
  assert.equal(picked(backends, 0.5, 0.1), 'b', 'b, then a')
  assert.equal(picked(backends, 0.5, 0.9), 'c', 'b, then c')
  assert.equal(picked(backends, 0.9, 0.1), 'c', 'c, then a')
  assert.equal(picked(backends, 0.9, 0.9), 'c', 'c, then b')
})

test('of equals the first drawn is picked', () => {
  const backends = [backendOf('a'), backendOf('b'), backendOf('c')]
  assert.equal(picked(backends, 0.1, 0.1), 'a')
  assert.equal(picked(backends, 0.5, 0.1), 'b')
  assert.equal(picked(backends, 0.9, 0.1), 'c')
})

test('two different ones are drawn, each pair as often as any other', () => {
  // In 12 ordered pairs of 4, the k-th least loaded is the lesser of 6, 4, 2 and 0; if one could be drawn twice, the
  // most loaded would be picked as well.
  const backends = [backendOf('a', 1, 4), backendOf('b', 1, 3), backendOf('c', 1, 2), backendOf('d', 1, 1)]
  assert.deepEqual(countsOf(backends, 4, 3), { d: 6, c: 4, b: 2 })
})

test('of two backends, the busier one is never picked', () => {
  assert.deepEqual(countsOf([backendOf('a', 1, 1), backendOf('b', 1, 0)], 8, 8), { b: 64 })
  assert.deepEqual(countsOf([backendOf('a', 3, 4), backendOf('b', 1, 1)], 8, 8), { b: 64 })
})

test('the draws are weighted, and the second is made among the others by their weights', () => {
  // All equal: the first draw decides, over 7 parts.
  assert.deepEqual(countsOf([backendOf('a', 5), backendOf('b'), backendOf('c')], 7, 4), { a: 20, b: 4, c: 4 })
  // a is always the busier one, so b and c are picked whenever they are drawn: all of a's 5 × 2 pairs split evenly,
  // and one of six second draws beside b finds c, but of equals the first drawn is picked.
  assert.deepEqual(countsOf([backendOf('a', 5, 50), backendOf('b'), backendOf('c')], 7, 6), { b: 15 + 6, c: 15 + 6 })
  // b is the busiest: it is never picked, wherever it stands on the line.
  assert.deepEqual(countsOf([backendOf('a', 5), backendOf('b', 1, 9), backendOf('c')], 7, 6), { a: 30 + 5, c: 6 + 1 })
})

test('draws at the ends of their ranges stay within the set', () => {
  for (let size = 2; size <= 200; size++) {
    const even = Array.from({ length: size }, (_, index) => backendOf(`b${index}`))
    const uneven = Array.from({ length: size }, (_, index) => backendOf(`b${index}`, 1 + ((index * 7919) % 65_535)))
    for (const backends of [even, uneven]) {
      assert.equal(picked(backends, 0, 0), 'b0')
      assert.equal(picked(backends, 0, almostOne), 'b0')
      assert.equal(picked(backends, almostOne, 0), `b${size - 1}`)
      assert.equal(picked(backends, almostOne, almostOne), `b${size - 1}`)
      // The last of the others, for the first and for the last of all.
      backends[0]!.inFlight = 1_000_000
      assert.equal(picked(backends, 0, almostOne), `b${size - 1}`)
      assert.equal(picked(backends, 0, 0), 'b1')
      backends[0]!.inFlight = 0
      backends.at(-1)!.inFlight = 1_000_000
      assert.equal(picked(backends, almostOne, almostOne), `b${size - 2}`)
    }
  }
})

test('load is compared for the weight, without rounding', () => {
  // 9 of weight 5 is less than 2 of weight 1; 10 of 5 is the same; 11 of 5 is more.
  for (const [load, less, more] of [
    [9, true, false],
    [10, false, false],
    [11, false, true],
  ] as const) {
    assert.equal(isLessLoaded(backendOf('a', 5, load), backendOf('b', 1, 2)), less)
    assert.equal(isLessLoaded(backendOf('b', 1, 2), backendOf('a', 5, load)), more)
  }
  // In floating point, 7 / 25 is not 28 % of anything: products of whole numbers are exact.
  for (let weight = 1; weight <= 200; weight++) {
    for (const factor of [2, 3, 7, 49]) {
      const [light, heavy] = [backendOf('a', weight, 3), backendOf('b', weight * factor, 3 * factor)]
      assert.equal(isLessLoaded(light, heavy) || isLessLoaded(heavy, light), false)
    }
  }
})

test('recent failures count as load', () => {
  const backends = [backendOf('a', 1, 1), backendOf('b', 1, 0)]
  assert.equal(picked(backends, 0.1, 0.1), 'b')
  backends[1]!.penalty = 2
  assert.equal(picked(backends, 0.1, 0.1), 'a')
})

test('the score is the load for the weight', () => {
  const backends = [backendOf('a', 4, 2), backendOf('b', 1, 3)]
  backends[1]!.penalty = 1
  const picker = p2c(() => 0).over(backends)
  assert.deepEqual(
    backends.map((backend) => picker.score!(backend)),
    [0.5, 4],
  )
})

test('takes two numbers for each pick', () => {
  let drawn = 0
  const picker = p2c(() => (drawn++, 0.5)).over([backendOf('a'), backendOf('b'), backendOf('c')])
  const before = drawn
  for (let count = 0; count < 10; count++) picker.pick(request)
  assert.equal(drawn - before, 20)
})

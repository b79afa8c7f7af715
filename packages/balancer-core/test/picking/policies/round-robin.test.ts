import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../../src/backends/backend.ts'
import { roundRobin } from '../../../src/picking/policies/round-robin.ts'
import type { Picker, PickRequest } from '../../../src/picking/policy.ts'

const request: PickRequest = { method: 'GET', url: '/', headers: {} }

function backendOf(id: string, weight = 1): Backend {
  return new Backend(id, `http://${id}.test`, { weight, priority: 0, maxInFlight: 128, tags: [] }, {} as Pool)
}

function picks(picker: Picker, count: number): string {
  return Array.from({ length: count }, () => picker.pick(request)!.id).join(' ')
}

test('takes each in turn, in the order given, whatever their load', () => {
  const backends = [backendOf('c'), backendOf('a'), backendOf('b')]
  backends[0]!.inFlight = 100
  assert.equal(picks(roundRobin().over(backends), 7), 'c a b c a b c')
})

test('takes the turns of smooth weighting where weights differ', () => {
  const backends = [backendOf('a', 5), backendOf('b'), backendOf('c')]
  assert.equal(picks(roundRobin().over(backends), 14), 'a a b a c a a a a b a c a a')
})

test('when the next in turn goes, its successor is next', () => {
  const [a, b, c, d] = [backendOf('a'), backendOf('b'), backendOf('c'), backendOf('d')] as const
  const policy = roundRobin()
  assert.equal(picks(policy.over([a, b, c, d]), 1), 'a')
  assert.equal(picks(policy.over([a, c, d]), 2), 'c d')
  assert.equal(picks(policy.over([c, d]), 2), 'c d')
  assert.equal(picks(policy.over([d]), 2), 'd d')
})

test('when the next and the last in the list go, the round goes on from the front', () => {
  const [a, b, c, d] = [backendOf('a'), backendOf('b'), backendOf('c'), backendOf('d')] as const
  const policy = roundRobin()
  assert.equal(picks(policy.over([a, b, c, d]), 2), 'a b')
  assert.equal(picks(policy.over([a, b]), 3), 'a b a')
})

test('the order of the list may change within a round', () => {
  const [a, b, c] = [backendOf('a'), backendOf('b'), backendOf('c')] as const
  const policy = roundRobin()
  assert.equal(picks(policy.over([a, b, c]), 1), 'a')
  assert.equal(picks(policy.over([c, b, a]), 4), 'b a c b')
})

test('a list of others altogether begins at its first', () => {
  const policy = roundRobin()
  assert.equal(picks(policy.over([backendOf('a'), backendOf('b')]), 1), 'a')
  assert.equal(picks(policy.over([backendOf('c'), backendOf('d'), backendOf('e')]), 3), 'c d e')
})

test('goes on where it was after requests that found no backend at all', () => {
  const [a, b, c] = [backendOf('a'), backendOf('b'), backendOf('c')] as const
  const policy = roundRobin()
  assert.equal(picks(policy.over([a, b, c]), 4), 'a b c a')
  const none = policy.over([])
  assert.equal(none.pick(request), undefined)
  assert.equal(none.pick(request), undefined)
  assert.equal(picks(policy.over([a, b, c]), 3), 'b c a')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { balancing, countsOf, evenly } from '../stage.ts'

const backends = ['a0', 'a1', 'b0', 'c0'].map((id) => ({ url: `http://${id}.test`, id, zone: id[0]!, maxInFlight: 10 }))
const down = { by: 'test', reason: 'down' }

function inZone(t: Parameters<typeof balancing>[0], zone: string, settings: object = {}) {
  const policy = { name: 'zones', zone, policy: 'round-robin', ...settings } as const
  return balancing(t, { backends, policy, random: evenly(10) })
}

test('requests stay in the zone while it is healthy', (t) => {
  assert.deepEqual(countsOf(inZone(t, 'a'), 10), { a0: 5, a1: 5 })
  assert.deepEqual(countsOf(inZone(t, 'b'), 10), { b0: 10 })
})

test('of a zone that is half healthy, 70 % stay, and the others share the rest', (t) => {
  const balancer = inZone(t, 'a')
  balancer.veto(balancer.backend('a0'), down)
  assert.deepEqual(countsOf(balancer, 20), { a1: 14, b0: 3, c0: 3 })
})

test('at least the minimum stays in the zone, as long as one there is healthy', (t) => {
  const balancer = inZone(t, 'a', { minimum: 0.9 })
  balancer.veto(balancer.backend('a0'), down)
  assert.deepEqual(countsOf(balancer, 20), { a1: 18, b0: 1, c0: 1 })
  balancer.veto(balancer.backend('a1'), down)
  assert.deepEqual(countsOf(balancer, 20), { b0: 10, c0: 10 })
})

test('a zone without backends uses all others', (t) => {
  assert.deepEqual(countsOf(inZone(t, 'nowhere'), 8), { a0: 2, a1: 2, b0: 2, c0: 2 })
})

test('a full zone hands on', (t) => {
  const balancer = inZone(t, 'b')
  balancer.backend('b0').inFlight = 10
  // Counted from the next set on.
  balancer.veto(balancer.backend('c0'), down)
  assert.deepEqual(countsOf(balancer, 4), { a0: 2, a1: 2 })
})

test('the zone must be named', (t) => {
  assert.throws(() => balancing(t, { policy: { name: 'zones' } as never }), /policy\.zone: expected a string/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detecting, type Detecting } from './detecting.ts'

/** Failures spread out, so that no row of them counts: `failures` of `attempts` (at most half). */
function mixed(one: Detecting, id: string, attempts: number, failures: number): void {
  for (let index = 0; index < attempts; index++) one.answer(id, index % 2 === 0 && index < failures * 2 ? 500 : 200)
}

const nextInterval = 10_000

test('one that succeeds far less often than its peers is out when the interval ends', (t) => {
  const one = detecting(t, 'abcde')
  for (const id of 'abcd') mixed(one, id, 100, 0)
  mixed(one, 'e', 100, 30)
  one.clock.advance(nextInterval - 1)
  assert.equal(one.out, '')
  one.clock.advance(1)
  assert.equal(one.out, 'e')
  const [veto] = one.backend('e').vetoes
  // Shares 1, 1, 1, 1, 0.7: mean 0.94, sigma √((4 × 0.06² + 0.24²)/5) = 0.12; 0.94 − 1.9 × 0.12 = 0.712.
  assert.equal(veto?.reason, '70.0 % of 100 requests succeeded, limit 71.2 % (mean of all backends 94.0 %)')
  const { rule, share, attempts, recent } = veto.evidence as Record<string, unknown>
  assert.deepEqual([rule, share, attempts, (recent as unknown[]).length], ['success-rate', 0.7, 100, 5])
})

test('too few backends, too little volume: not judged', (t) => {
  const few = detecting(t, 'abcd')
  for (const id of 'abc') mixed(few, id, 100, 0)
  mixed(few, 'd', 100, 50)
  const little = detecting(t, 'abcdef')
  for (const id of 'abcd') mixed(little, id, 100, 0)
  mixed(little, 'e', 99, 0)
  mixed(little, 'f', 99, 49)
  for (const one of [few, little]) {
    one.clock.advance(nextInterval)
    assert.equal(one.out, '')
  }
})

test('an interval stands alone: what came before it does not count', (t) => {
  const one = detecting(t, 'abcde')
  for (const id of 'abcde') mixed(one, id, 60, id === 'e' ? 30 : 0)
  one.clock.advance(nextInterval)
  for (const id of 'abcde') mixed(one, id, 60, id === 'e' ? 30 : 0)
  one.clock.advance(nextInterval)
  assert.equal(one.out, '')
})

test('one that is out is not compared with', (t) => {
  const one = detecting(t, 'abcdef')
  for (const id of 'abcdef') mixed(one, id, 100, id === 'e' ? 30 : 0)
  one.answer('a', 500, 5)
  one.answer('b', 500, 5)
  one.clock.advance(nextInterval)
  assert.equal(one.out, 'ab')
})

test('of two bad ones under a ceiling of one, the worse is out', (t) => {
  const one = detecting(t, 'abcdefghij', { outliers: { maxEjected: 0.1, successRate: { stdev: 1.5 } } })
  for (const id of 'abcdefgh') mixed(one, id, 100, 0)
  mixed(one, 'i', 100, 45)
  mixed(one, 'j', 100, 50)
  one.clock.advance(nextInterval)
  assert.deepEqual([one.out, one.of('i').withheld === null], ['j', false])
})

test('it can be turned off', (t) => {
  const one = detecting(t, 'abcde', { outliers: { successRate: { stdev: 0 } } })
  for (const id of 'abcde') mixed(one, id, 100, id === 'e' ? 50 : 0)
  one.clock.advance(nextInterval)
  assert.equal(one.out, '')
})

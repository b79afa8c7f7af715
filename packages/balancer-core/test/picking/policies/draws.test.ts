import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Draws } from '../../../src/picking/policies/draws.ts'

/** Draws from 0.1, 0.2, 0.3 and so on, and how many have been made so far. */
function counting() {
  let made = 0
  return { draws: new Draws(() => ++made / 10), made: () => made }
}

test('draws one number after the other, and none before it is asked for', () => {
  const { draws, made } = counting()
  assert.equal(made(), 0)
  assert.deepEqual([draws.next(), draws.next(), draws.next()], [0.1, 0.2, 0.3])
  assert.equal(made(), 3)
})

test('what was looked at is what comes, once', () => {
  const { draws, made } = counting()
  assert.equal(draws.peek(2), 0.3)
  assert.equal(draws.peek(0), 0.1)
  assert.equal(draws.peek(2), 0.3)
  assert.equal(made(), 3)
  assert.deepEqual([draws.next(), draws.next()], [0.1, 0.2])
  assert.equal(draws.peek(0), 0.3)
  assert.equal(draws.peek(1), 0.4)
  assert.deepEqual([draws.next(), draws.next(), draws.next()], [0.3, 0.4, 0.5])
  assert.equal(made(), 5)
})

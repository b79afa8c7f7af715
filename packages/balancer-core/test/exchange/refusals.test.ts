import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuse } from '../../src/exchange/refusals.ts'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('refusals come in order, a few in each turn of the event loop, so that others have their turn', async () => {
  const order: number[] = []
  const slowly = (number: number) => ({
    fail(reason: string) {
      assert.equal(reason, 'queue-full')
      order.push(number)
      // As long as writing a refusal may take on a slow machine.
      const until = performance.now() + 1
      while (performance.now() < until);
    },
  })
  for (let number = 0; number < 5; number++) refuse(slowly(number), 'queue-full')
  assert.deepEqual(order, [], 'not at once')
  await turn()
  await turn()
  assert.ok(order.length > 0 && order.length < 5, `${order.length}`)
  // One that comes meanwhile is the last.
  refuse(slowly(5), 'queue-full')
  while (order.length < 6) await turn()
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5])
})

test('none is forgotten, however many come while others are refused', async () => {
  let failed = 0
  const again = (left: number) => ({
    fail() {
      failed++
      if (left > 0) refuse(again(left - 1), 'overloaded')
    },
  })
  for (let count = 0; count < 100; count++) refuse(again(20), 'overloaded')
  while (failed < 2100) await turn()
  await turn()
  assert.equal(failed, 2100)
})

test('one that is refused while another is comes in a later turn', async () => {
  const order: string[] = []
  const last = { fail: () => void order.push('last') }
  refuse({ fail: () => (order.push('first'), refuse(last, 'queue-full')) }, 'queue-full')
  for (let turns = 0; turns < 5; turns++) await turn()
  assert.deepEqual(order, ['first', 'last'])
})

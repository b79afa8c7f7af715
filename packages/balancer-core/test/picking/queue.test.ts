import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WaitingQueue, type Waiter } from '../../src/picking/queue.ts'

class Named implements Waiter {
  readonly name: string
  previousWaiter: Waiter | undefined
  nextWaiter: Waiter | undefined
  waiting = false

  constructor(name: string) {
    this.name = name
  }
}

function waiting(max: number, names: string): { queue: WaitingQueue<Named>; waiters: Named[] } {
  const queue = new WaitingQueue<Named>(max)
  const waiters = names.split('').map((name) => new Named(name))
  for (const waiter of waiters) assert.equal(queue.enter(waiter), true)
  return { queue, waiters }
}

/** Empties the queue from the front. */
function namesOf(queue: WaitingQueue<Named>): string {
  let names = ''
  for (let { first } = queue; first !== undefined; first = queue.first) {
    names += first.name
    queue.leave(first)
  }
  assert.equal(queue.length, 0)
  return names
}

test('the first to come is the first to go', () => {
  const { queue } = waiting(10, 'abcd')
  assert.equal(queue.length, 4)
  assert.equal(queue.first?.name, 'a')
  assert.equal(namesOf(queue), 'abcd')
  assert.equal(queue.first, undefined)
})

test('whoever leaves, the others keep their order', () => {
  for (const [leaver, left] of [
    ['a', 'bcd'],
    ['b', 'acd'],
    ['c', 'abd'],
    ['d', 'abc'],
  ] as const) {
    const { queue, waiters } = waiting(10, 'abcd')
    queue.leave(waiters.find(({ name }) => name === leaver)!)
    assert.equal(queue.length, 3)
    assert.equal(namesOf(queue), left)
  }
})

test('whoever comes after one has left is last', () => {
  for (const [leaver, left] of [
    ['a', 'bcn'],
    ['b', 'acn'],
    ['c', 'abn'],
  ] as const) {
    const { queue, waiters } = waiting(10, 'abc')
    queue.leave(waiters.find(({ name }) => name === leaver)!)
    queue.enter(new Named('n'))
    assert.equal(namesOf(queue), left)
  }
})

test('the only one may leave, and the queue begins anew', () => {
  const { queue, waiters } = waiting(1, 'a')
  queue.leave(waiters[0]!)
  assert.equal(queue.length, 0)
  assert.equal(queue.first, undefined)
  assert.equal(queue.enter(new Named('b')), true)
  assert.equal(namesOf(queue), 'b')
})

test('one more than there is room for is turned away, and has not waited', () => {
  const { queue, waiters } = waiting(2, 'ab')
  const late = new Named('c')
  assert.equal(queue.enter(late), false)
  assert.equal(late.waiting, false)
  assert.equal(queue.length, 2)
  queue.leave(waiters[0]!)
  assert.equal(queue.enter(late), true)
  assert.equal(late.waiting, true)
  assert.equal(namesOf(queue), 'bc')
})

test('with no room at all, nobody waits', () => {
  assert.equal(new WaitingQueue<Named>(0).enter(new Named('a')), false)
})

test('leaving twice, or without having waited, changes nothing', () => {
  const { queue, waiters } = waiting(10, 'abc')
  queue.leave(waiters[1]!)
  queue.leave(waiters[1]!)
  queue.leave(new Named('x'))
  assert.equal(queue.length, 2)
  assert.equal(namesOf(queue), 'ac')
})

test('who has left holds on to nobody, and may come again', () => {
  const { queue, waiters } = waiting(10, 'abc')
  const [, b] = waiters as [Named, Named, Named]
  queue.leave(b)
  assert.deepEqual([b.waiting, b.previousWaiter, b.nextWaiter], [false, undefined, undefined])
  queue.enter(b)
  assert.equal(b.waiting, true)
  assert.equal(namesOf(queue), 'acb')
})

test('behaves as a list does, whatever comes and goes', () => {
  const queue = new WaitingQueue<Named>(8)
  const list: Named[] = []
  let state = 1
  const random = (below: number) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % below
  for (let step = 0; step < 5000; step++) {
    if (random(2) === 0) {
      const waiter = new Named(String(step))
      assert.equal(queue.enter(waiter), list.length < 8)
      if (list.length < 8) list.push(waiter)
    } else if (list.length > 0) queue.leave(list.splice(random(list.length), 1)[0]!)
    assert.equal(queue.length, list.length)
    assert.equal(queue.first, list[0])
    for (const [index, waiter] of list.entries()) {
      assert.equal(waiter.previousWaiter, list[index - 1])
      assert.equal(waiter.nextWaiter, list[index + 1])
    }
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../../test/support/clock.ts'
import { parseOptions } from '../../../src/options.ts'
import type { TurnedAway, Waiter } from '../../../src/picking/queue/line.ts'
import { WaitingQueue } from '../../../src/picking/queue/waiting-queue.ts'

class Named implements Waiter {
  readonly name: string
  rank = 0
  waitingSince = 0
  reason: TurnedAway | undefined
  previousWaiter: Waiter | undefined
  nextWaiter: Waiter | undefined
  waiting = false

  constructor(name: string) {
    this.name = name
  }

  turnAway(reason: TurnedAway): void {
    this.reason = reason
  }
}

type QueueOptions = NonNullable<Parameters<typeof parseOptions>[0]['queue']>

function queueOf(queue: QueueOptions, clock = new ManualClock()): WaitingQueue<Named> {
  return new WaitingQueue<Named>(parseOptions({ queue }).queue, clock)
}

const firstOf = (queue: WaitingQueue<Named>) => queue.round().next()

function waiting(max: number, names: string): { queue: WaitingQueue<Named>; waiters: Named[] } {
  const queue = queueOf({ max })
  const waiters = names.split('').map((name) => new Named(name))
  for (const waiter of waiters) assert.equal(queue.enter(waiter), true)
  return { queue, waiters }
}

/** Empties the queue from the front. */
function namesOf(queue: WaitingQueue<Named>): string {
  let names = ''
  for (let first = firstOf(queue); first !== undefined; first = firstOf(queue)) {
    names += first.name
    queue.leave(first)
  }
  assert.equal(queue.length, 0)
  return names
}

test('the first to come is the first to go', () => {
  const { queue } = waiting(10, 'abcd')
  assert.equal(queue.length, 4)
  assert.equal(firstOf(queue)?.name, 'a')
  assert.equal(namesOf(queue), 'abcd')
  assert.equal(firstOf(queue), undefined)
})

test('when one leaves, the others keep their order', () => {
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

test('one that comes after another has left is last', () => {
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
  assert.equal(firstOf(queue), undefined)
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
  assert.equal(queueOf({ max: 0 }).enter(new Named('a')), false)
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
  const queue = queueOf({ max: 8 })
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
    assert.equal(firstOf(queue), list[0])
    for (const [index, waiter] of list.entries()) {
      assert.equal(waiter.previousWaiter, list[index - 1])
      assert.equal(waiter.nextWaiter, list[index + 1])
    }
  }
})

const classes = ['high', 'normal', 'low']
const priority = { classes, default: 'normal', header: 'x-priority', share: 0 }

/** Lets requests wait, each in the class with its initial: `hnl`. */
function enterAll(queue: WaitingQueue<Named>, initials: string): Named[] {
  return initials.split('').map((initial, index) => {
    const waiter = new Named(`${initial}${index}`)
    queue.enter(
      waiter,
      classes.find((name) => name.startsWith(initial)),
    )
    return waiter
  })
}

/** Gives `count` places away, one a round. */
function servedBy(queue: WaitingQueue<Named>, count: number): string[] {
  return Array.from({ length: count }, () => {
    const round = queue.round()
    const next = round.next()!
    round.served(next)
    return next.name
  })
}

test('a more important class goes first, and within a class the one that came first', () => {
  const queue = queueOf({ priority })
  enterAll(queue, 'lnhlnh')
  assert.deepEqual(queue.byClass, { high: 2, normal: 2, low: 2 })
  assert.deepEqual(servedBy(queue, 6), ['h2', 'h5', 'n1', 'n4', 'l0', 'l3'])
  assert.equal(queueOf({}).byClass, undefined)
})

test('in one round nobody is asked twice, not even one that may not have the place', () => {
  const queue = queueOf({ priority })
  enterAll(queue, 'lnhlnh')
  const round = queue.round()
  const asked: string[] = []
  for (let waiter = round.next(); waiter !== undefined; waiter = round.next()) {
    asked.push(waiter.name)
    if (waiter.name === 'n1') round.served(waiter)
    else round.passed(waiter)
  }
  assert.deepEqual(asked, ['h2', 'h5', 'n1', 'n4', 'l0', 'l3'])
  assert.equal(queue.length, 5)
})

test('who comes without a class, or with an unknown one, has the default', () => {
  const queue = queueOf({ priority })
  queue.enter(new Named('none'))
  queue.enter(new Named('unknown'), 'urgent')
  assert.deepEqual(queue.byClass, { high: 0, normal: 2, low: 0 })
})

test('each class but the first has its share of the places while it waits, exactly', () => {
  const queue = queueOf({ max: 1000, priority: { ...priority, share: 0.1 } })
  enterAll(queue, 'h'.repeat(300) + 'n'.repeat(300) + 'l'.repeat(300))
  const served = servedBy(queue, 201).map((name) => name[0])
  const places = (initial: string) => served.flatMap((name, index) => (name === initial ? index + 1 : []))
  assert.deepEqual([places('h').length, places('n').length, places('l').length], [161, 20, 20])
  assert.deepEqual(places('n').slice(0, 3), [10, 20, 30])
  assert.deepEqual(places('l').slice(0, 3), [11, 21, 31])
})

test('a class that has waited in vain again and again has not lost its share', () => {
  const queue = queueOf({ max: 1000, priority: { ...priority, share: 0.1 } })
  enterAll(queue, 'h'.repeat(30))
  for (let times = 0; times < 3; times++) {
    const [low] = enterAll(queue, 'l')
    servedBy(queue, 3)
    queue.leave(low!)
  }
  const [low] = enterAll(queue, 'l')
  assert.deepEqual(servedBy(queue, 1), [low!.name])
})

test('when the queue is full, a higher class displaces the newest of the lowest', () => {
  const queue = queueOf({ max: 4, priority })
  const [, n1, l2, l3] = enterAll(queue, 'hnll')
  const next = (name: string) => {
    const waiter = new Named(name)
    return queue.enter(waiter, name)
  }
  assert.equal(next('low'), false)
  assert.equal(l3!.reason, undefined)
  assert.equal(next('normal'), true)
  assert.deepEqual([l3!.reason, l3!.waiting, l2!.reason], ['queue-full', false, undefined])
  assert.equal(next('high'), true)
  assert.equal(l2!.reason, 'queue-full')
  assert.equal(next('normal'), false)
  assert.equal(next('high'), true)
  assert.equal(n1!.reason, undefined)
  assert.deepEqual(queue.byClass, { high: 3, normal: 1, low: 0 })
  assert.equal(next('high'), true)
  assert.equal(n1!.reason, 'queue-full')
  assert.equal(next('high'), false)
  assert.equal(queue.length, 4)
})

test('other classes keep those that wait: in the class of the same name, else in the default one, by age', () => {
  const clock = new ManualClock()
  const queue = queueOf({ priority }, clock)
  const waiters = 'hnl'.split('').map((initial) => {
    clock.advance(5)
    return enterAll(queue, initial)[0]!
  })
  const next = { classes: ['low', 'rest'], default: 'rest', header: 'x-priority' }
  queue.configure(parseOptions({ queue: { max: 7, priority: next } }).queue)
  assert.deepEqual([queue.byClass, queue.max, queue.length], [{ low: 1, rest: 2 }, 7, 3])
  assert.deepEqual(
    waiters.map(({ waitingSince }) => waitingSince),
    [5, 10, 15],
  )
  const [high, normal, low] = waiters
  const order = [low, high, normal].map((waiter) => waiter!.name)
  assert.deepEqual(servedBy(queue, 3), order)
  queue.configure(parseOptions({}).queue)
  assert.equal(queue.byClass, undefined)
})

test('who is owed a place that it cannot use has one more to come, not many', () => {
  const queue = queueOf({ max: 1000, priority: { ...priority, share: 0.1 } })
  enterAll(queue, 'h'.repeat(50) + 'll')
  for (let place = 0; place < 30; place++) {
    const round = queue.round()
    let next = round.next()!
    while (next.rank > 0) {
      round.passed(next)
      next = round.next()!
    }
    round.served(next)
  }
  assert.deepEqual(
    servedBy(queue, 4).map((name) => name[0]),
    ['l', 'h', 'h', 'h'],
  )
})

test('who leaves while another gets its place is not asked, and nobody behind is left out', () => {
  const queue = queueOf({})
  const [a, b, c] = enterAll(queue, 'nnn')
  const round = queue.round()
  assert.equal(round.next(), a)
  round.served(a!)
  queue.leave(b!)
  assert.equal(round.next(), c)
  round.served(c!)
  assert.equal(round.next(), undefined)
})

const shed = { shed: 'codel', target: 5, interval: 100 } as const

test('who has waited too long in overload is turned away, and the newest goes first', () => {
  const clock = new ManualClock()
  const queue = queueOf(shed, clock)
  const enter = (name: string) => {
    const waiter = new Named(name)
    queue.enter(waiter)
    return waiter
  }
  const old = [enter('a'), enter('b')]
  clock.advance(99)
  const c = enter('c')
  assert.equal(firstOf(queue)?.name, 'a')
  assert.deepEqual([old[0]!.reason, old[1]!.reason], [undefined, undefined])
  clock.advance(1)
  assert.equal(firstOf(queue)?.name, 'c')
  queue.shed()
  assert.deepEqual([old[0]!.reason, old[1]!.reason, c.reason], ['queue-shed', 'queue-shed', undefined])
  // At the target it may still wait; the last one always may.
  clock.advance(4)
  const d = enter('d')
  queue.shed()
  assert.equal(c.reason, undefined)
  clock.advance(1)
  queue.shed()
  assert.deepEqual([c.reason, d.waiting], ['queue-shed', true])
  clock.advance(1000)
  queue.shed()
  assert.equal(d.waiting, true)
  // Once it has been empty, the overload is over.
  queue.leave(d)
  const e = enter('e')
  enter('f')
  clock.advance(50)
  queue.shed()
  assert.deepEqual([firstOf(queue), e.reason], [e, undefined])
})

test('a class is not turned away for the overload of another', () => {
  const clock = new ManualClock()
  const queue = queueOf({ ...shed, priority }, clock)
  enterAll(queue, 'll')
  clock.advance(90)
  const high = enterAll(queue, 'hh')
  clock.advance(10)
  queue.shed()
  assert.deepEqual(queue.byClass, { high: 2, normal: 0, low: 1 })
  assert.equal(firstOf(queue), high[0])
})

test('without `shed` nobody is turned away, however long it waits', () => {
  const clock = new ManualClock()
  const queue = queueOf({}, clock)
  enterAll(queue, 'nn')
  clock.advance(100_000)
  enterAll(queue, 'n')
  queue.shed()
  assert.equal(queue.length, 3)
  assert.equal(firstOf(queue)?.name, 'n0')
})

test('an order that changes while places are given away changes with the next round', () => {
  const clock = new ManualClock()
  const queue = queueOf(shed, clock)
  enterAll(queue, 'nnn')
  const round = queue.round()
  const asked: string[] = []
  for (let waiter = round.next(); waiter !== undefined; waiter = round.next()) {
    asked.push(waiter.name)
    round.passed(waiter)
    clock.advance(70)
  }
  assert.deepEqual(asked, ['n0', 'n1', 'n2'])
})

test('ten thousand wait, come, leave and are displaced: each is asked once, and nobody is lost', () => {
  const count = 10_000
  const queue = queueOf({ max: count, priority: { ...priority, share: 0.1 }, ...shed })
  const low = enterAll(queue, 'l'.repeat(count))
  enterAll(queue, 'h'.repeat(count / 2))
  assert.equal(low.filter(({ reason }) => reason === 'queue-full').length, count / 2)
  for (const waiter of low.slice(0, 1000)) queue.leave(waiter)
  const round = queue.round()
  const asked = new Set<Named>()
  let steps = 0
  for (let waiter = round.next(); waiter !== undefined; waiter = round.next()) {
    asked.add(waiter)
    if (++steps % 2 === 0) round.served(waiter)
    else round.passed(waiter)
  }
  assert.deepEqual([steps, asked.size, queue.length], [count - 1000, count - 1000, (count - 1000) / 2])
})

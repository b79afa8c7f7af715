import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { TimeLimitSweep, type Swept } from '../../src/attempt/time-limit-sweep.ts'

class Looked implements Swept {
  previousSwept: Swept | undefined
  nextSwept: Swept | undefined
  looks = 0
  readonly #onLook: (() => void) | undefined

  constructor(onLook?: () => void) {
    this.#onLook = onLook
  }

  onSweep(): void {
    this.looks++
    this.#onLook?.()
  }
}

function sweeping(...limits: number[]) {
  const clock = new ManualClock()
  return { clock, sweep: new TimeLimitSweep(clock, limits) }
}

test('the period is an eighth of the shortest limit, from 5 to 250 ms', () => {
  for (const [limits, period] of [
    [[800], 100],
    [[30_000, 60_000], 250],
    [[2000, 1999], 250],
    [[1000, 400], 50],
    [[0, 400], 50],
    [[401], 51],
    [[10], 5],
    [[1], 5],
    [[0, 0], 250],
    [[], 250],
  ] as const) {
    assert.equal(sweeping(...limits).sweep.period, period, String(limits))
  }
})

test('looks at everything once each period, while there is anything', () => {
  const { clock, sweep } = sweeping(800)
  assert.equal(clock.pending, 0)
  const [one, other] = [new Looked(), new Looked()]
  sweep.enter(one)
  sweep.enter(other)
  assert.equal(clock.pending, 1)
  clock.advance(99)
  assert.deepEqual([one.looks, other.looks], [0, 0])
  clock.advance(1)
  assert.deepEqual([one.looks, other.looks], [1, 1])
  clock.advance(100)
  assert.deepEqual([one.looks, other.looks], [2, 2])
  sweep.leave(one)
  clock.advance(100)
  assert.deepEqual([one.looks, other.looks], [2, 3])
  sweep.leave(other)
  clock.advance(100)
  assert.equal(clock.pending, 0)
})

test('whoever leaves, the others are looked at', () => {
  for (let leaver = 0; leaver < 4; leaver++) {
    const { clock, sweep } = sweeping(800)
    const all = [new Looked(), new Looked(), new Looked(), new Looked()]
    for (const one of all) sweep.enter(one)
    sweep.leave(all[leaver]!)
    sweep.leave(all[leaver]!)
    clock.advance(100)
    assert.deepEqual(
      all.map(({ looks }) => looks),
      all.map((_, index) => (index === leaver ? 0 : 1)),
    )
    for (const one of all) sweep.leave(one)
    clock.advance(200)
    assert.equal(clock.pending, 0)
    // Nobody is held on to by one who has left.
    for (const { previousSwept, nextSwept } of all) assert.deepEqual([previousSwept, nextSwept], [undefined, undefined])
  }
})

test('whoever leaves while it is looked at keeps none of the others from being looked at', () => {
  const { clock, sweep } = sweeping(800)
  const all: Looked[] = []
  for (let count = 0; count < 5; count++) {
    const one: Looked = new Looked(() => sweep.leave(one))
    all.push(one)
    sweep.enter(one)
  }
  clock.advance(100)
  assert.deepEqual(
    all.map(({ looks }) => looks),
    [1, 1, 1, 1, 1],
  )
  assert.equal(clock.pending, 0)
})

test('whoever has left is not looked at, also when it was next', () => {
  const { clock, sweep } = sweeping(800)
  const all: Looked[] = []
  for (let index = 0; index < 5; index++) {
    // One that ends takes its neighbours with it.
    const one: Looked = new Looked(() => {
      for (const neighbour of [index - 1, index + 1]) if (index === 2) sweep.leave(all[neighbour]!)
    })
    all.push(one)
  }
  for (const one of all) sweep.enter(one)
  clock.advance(100)
  // The last to enter is looked at first: 3 had its look before 2 took it out.
  assert.deepEqual(
    all.map(({ looks }) => looks),
    [1, 0, 1, 1, 1],
  )
})

test('whoever enters while others are looked at has its turn in the next period', () => {
  const { clock, sweep } = sweeping(800)
  const late = new Looked()
  const first: Looked = new Looked(() => {
    if (first.looks === 1) sweep.enter(late)
  })
  sweep.enter(first)
  clock.advance(100)
  assert.deepEqual([first.looks, late.looks, clock.pending], [1, 0, 1])
  clock.advance(100)
  assert.deepEqual([first.looks, late.looks], [2, 1])
})

test('a time that has certainly passed is told no earlier than it has, and at most a period later', () => {
  const { clock, sweep } = sweeping(800)
  sweep.enter(new Looked())
  for (const offset of [0, 1, 50, 99]) {
    clock.advance(offset)
    const { mark } = sweep
    const began = clock.now()
    assert.equal(sweep.since(mark), -100)
    while (sweep.since(mark) < 300) clock.advance(1)
    const passed = clock.now() - began
    assert.ok(passed >= 300 && passed <= 400, `${passed} ms from ${offset}`)
    clock.advance(100 - (clock.now() % 100))
  }
})

test('after a pause it begins again with a whole period', () => {
  const { clock, sweep } = sweeping(800)
  const one = new Looked()
  sweep.enter(one)
  clock.advance(150)
  sweep.leave(one)
  clock.advance(1000)
  const { now } = sweep
  sweep.enter(one)
  clock.advance(99)
  assert.equal(sweep.now, now)
  clock.advance(1)
  assert.equal(sweep.now, now + 100)
  assert.equal(one.looks, 2)
})

test('once stopped it leaves no timer and looks at nothing', () => {
  const { clock, sweep } = sweeping(800)
  const one = new Looked()
  sweep.enter(one)
  sweep.stop()
  assert.equal(clock.pending, 0)
  clock.advance(1000)
  assert.equal(one.looks, 0)
})

test('where limits change while something is under way, no time is counted that has not passed', () => {
  for (const [first, second] of [
    [800, 8000],
    [8000, 800],
    [40, 2000],
  ] as const) {
    for (const offset of [0, 1, 37, 99, 240]) {
      const { clock, sweep } = sweeping(first)
      sweep.enter(new Looked())
      clock.advance(offset)
      const { mark } = sweep
      const began = clock.now()
      clock.advance(offset)
      sweep.limit([second])
      while (sweep.since(mark) < 300) {
        clock.advance(1)
        const passed = clock.now() - began
        assert.ok(sweep.since(mark) <= passed, `${sweep.since(mark)} ms are counted after ${passed}`)
      }
      const passed = clock.now() - began
      assert.ok(passed <= 300 + 3 * 250, `${passed} ms`)
      assert.equal(clock.pending, 1)
    }
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gradient2 } from '../../src/algorithms/gradient2.ts'

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`)

/** Windows in order: response time, requests in flight, and the limit afterwards, worked out by hand. */
function follows(gradient: Gradient2, windows: readonly (readonly [number, number, number])[], most = 200): void {
  for (const [responseTime, inFlight, limit] of windows) {
    gradient.update({ responseTime, inFlight, failed: false }, most)
    near(gradient.limit, limit)
  }
}

test('the vectors of the formula', () => {
  const gradient = new Gradient2({ initial: 20, min: 3, tolerance: 1.5 })
  follows(gradient, [
    // 0.8 × 20 + 0.2 × (20 × 1 + 4)
    [100, 20, 20.8],
    // less than half in use
    [100, 10, 20.8],
    // 0.8 × 20.8 + 0.2 × (20.8 × 0.5 + 4): 1.5 × 100 / 300
    [300, 20, 19.52],
    // 0.8 × 19.52 + 0.2 × (19.52 × 0.75 + 4): 1.5 × 100 / 200
    [200, 19, 19.344],
    // never below half: 1.5 × 100 / 1 000 is not taken
    [1000, 19, 0.8 * 19.344 + 0.2 * (19.344 * 0.5 + 4)],
  ])
  near(gradient.usual!, 100)
})

test('without tolerance, any queue lowers the limit', () => {
  const gradient = new Gradient2({ initial: 10, min: 3, tolerance: 1 })
  follows(gradient, [
    [100, 9, 10.8],
    [125, 10, 0.8 * 10.8 + 0.2 * (10.8 * 0.8 + 4)],
  ])
})

test('the limit stays between its bounds', () => {
  const gradient = new Gradient2({ initial: 4, min: 3, tolerance: 1 })
  follows(gradient, [[10, 4, 4.2]], 4.2)
  for (let window = 0; window < 20; window++)
    gradient.update({ responseTime: 1000, inFlight: gradient.limit, failed: false }, 200)
  // Where 0.5 × limit + 4 would rise again.
  assert.ok(gradient.limit > 4)
  const low = new Gradient2({ initial: 9, min: 9, tolerance: 1 })
  follows(low, [
    [10, 2, 9],
    [1000, 9, 9],
  ])
})

test('what is usual is the average of the first ten windows, and then follows slowly', () => {
  const gradient = new Gradient2({ initial: 100, min: 3, tolerance: 1.5 })
  const measure = (responseTime: number) => gradient.update({ responseTime, inFlight: 1, failed: false }, 200)
  for (let window = 1; window <= 10; window++) measure(100 + window)
  near(gradient.usual!, 105.5)
  measure(705.5)
  near(gradient.usual!, 105.5 + (600 * 2) / 601)
  assert.equal(gradient.limit, 100)
})

test('after an overload, what is usual falls faster', () => {
  const gradient = new Gradient2({ initial: 100, min: 3, tolerance: 1.5 })
  const measure = (responseTime: number) => gradient.update({ responseTime, inFlight: 1, failed: false }, 200)
  measure(900)
  measure(300)
  near(gradient.usual!, 600)
  measure(150)
  // 450 is 3 times as long.
  near(gradient.usual!, 450 * 0.95)
})

test('at the limit nothing becomes usual, but what was first', () => {
  const gradient = new Gradient2({ initial: 20, min: 3, tolerance: 1.5 })
  gradient.update({ responseTime: 100, inFlight: 20, failed: false }, 200)
  gradient.update({ responseTime: 400, inFlight: 20, failed: false }, 200)
  near(gradient.usual!, 100)
  gradient.update({ responseTime: 400, inFlight: 15, failed: false }, 200)
  near(gradient.usual!, 250)
})

test('after 30 windows in a row at the limit, one runs at a quarter of it, and says what is usual', () => {
  const gradient = new Gradient2({ initial: 20, min: 3, tolerance: 1.5 })
  const atLimit = (responseTime: number) =>
    gradient.update({ responseTime, inFlight: Math.floor(gradient.limit), failed: false }, 1000)
  for (let window = 0; window < 29; window++) atLimit(100)
  gradient.update({ responseTime: 100, inFlight: 30, failed: false }, 1000)
  for (let window = 0; window < 29; window++) atLimit(100)
  assert.equal(gradient.isMeasuring, false)
  atLimit(100)
  near(gradient.limit, (20 + 60 * 0.8) / 4)
  assert.equal(gradient.isMeasuring, true)
  // Without a response, it goes on.
  gradient.update({ responseTime: undefined, inFlight: 17, failed: true }, 1000)
  assert.equal(gradient.isMeasuring, true)
  atLimit(300)
  near(gradient.usual!, 300)
  near(gradient.limit, 20 + 60 * 0.8)
  assert.equal(gradient.isMeasuring, false)
})

test('even then the limit is not below its minimum, and times too short to tell are one', () => {
  const gradient = new Gradient2({ initial: 5, min: 3, tolerance: 1.5 })
  for (let window = 0; window < 30; window++) gradient.update({ responseTime: 0, inFlight: 5, failed: false }, 5)
  assert.equal(gradient.limit, 3)
  assert.equal(gradient.usual, 0.1)
})

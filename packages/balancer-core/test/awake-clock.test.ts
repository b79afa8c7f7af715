import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { AwakeClock, type Clock } from '../src/clock.ts'

/** Time as an operating system gives it to a process, which may be stopped: timers that were due meanwhile ring at its end. */
class SourceTime implements Clock {
  #time = 5_000_000
  #timers: { due: number; ring: () => void }[] = []

  now(): number {
    return this.#time
  }

  get pending(): number {
    return this.#timers.length
  }

  setTimeout(ring: () => void, delay: number): unknown {
    const timer = { due: this.#time + delay, ring }
    this.#timers.push(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer)
  }

  /** The process runs; each timer is so late (ms). */
  run(duration: number, late = 0): void {
    const end = this.#time + duration
    for (;;) {
      const next = this.#timers.toSorted((one, other) => one.due - other.due)[0]
      if (next === undefined || next.due + late > end) break
      this.#time = Math.max(this.#time, next.due + late)
      this.clearTimeout(next)
      next.ring()
    }
    this.#time = end
  }

  /** The process does not run. */
  pause(duration: number): void {
    this.#time += duration
  }
}

let source: SourceTime
let clock: AwakeClock
let rung: number

beforeEach(() => {
  source = new SourceTime()
  clock = new AwakeClock(source)
  rung = 0
})

const ring = () => void rung++

describe('while the process runs', () => {
  test('a timer rings when it is due, once', () => {
    clock.setTimeout(ring, 1000)
    source.run(999)
    assert.equal(rung, 0)
    source.run(1)
    assert.equal(rung, 1)
    source.run(10_000)
    assert.equal(rung, 1)
  })

  test('one that is taken back never rings; taken back again, or after it has rung, nothing happens', () => {
    const taken = clock.setTimeout(() => assert.fail('taken back'), 1000)
    clock.clearTimeout(taken)
    clock.clearTimeout(taken)
    const other = clock.setTimeout(ring, 500)
    source.run(2000)
    clock.clearTimeout(other)
    clock.clearTimeout(undefined)
    clock.clearTimeout(null)
    assert.deepEqual([rung, clock.waiting], [1, 0])
  })

  test('nothing beats any more when nobody waits', () => {
    clock.setTimeout(ring, 250)
    source.run(1000)
    assert.equal(source.pending, 0)
    const taken = clock.setTimeout(ring, 1e9)
    source.run(1000)
    clock.clearTimeout(taken)
    source.run(1000)
    assert.equal(source.pending, 0)
  })

  test('time passes as it does, also while nobody waits', () => {
    const start = clock.now()
    source.run(1234)
    assert.equal(clock.now() - start, 1234)
    source.run(60_000)
    assert.equal(clock.now() - start, 61_234)
    clock.setTimeout(ring, 1000)
    source.run(5000)
    assert.equal(clock.now() - start, 66_234)
  })

  test('a delay below 0 is none', () => {
    clock.setTimeout(ring, -50)
    source.run(1)
    assert.equal(rung, 1)
  })
})

describe('across a pause of the process', () => {
  for (const before of [0, 1, 99, 100, 101, 500, 850, 999])
    test(`a limit of 1000 that had run for ${before} ms has about the rest left after it`, () => {
      clock.setTimeout(ring, 1000)
      source.run(before)
      source.pause(3000)
      // No more than a beat of the pause counts.
      source.run(Math.max(0, 1000 - before - 101))
      assert.equal(rung, 0)
      source.run(301)
      assert.equal(rung, 1)
    })

  test('a limit that passes during it does not end before the sockets were heard', () => {
    clock.setTimeout(ring, 1000)
    source.run(999)
    source.pause(3000)
    // Timers that are due ring first, as they do in an event loop.
    source.run(0)
    assert.equal(rung, 0)
    source.run(50)
    assert.equal(rung, 0)
    source.run(150)
    assert.equal(rung, 1)
  })

  test('a limit that is not due yet gets what the pause has taken', () => {
    clock.setTimeout(ring, 10_000)
    source.run(1000)
    source.pause(3000)
    source.run(8899)
    assert.equal(rung, 0)
    source.run(300)
    assert.equal(rung, 1)
  })

  test('each of several pauses is taken out', () => {
    clock.setTimeout(ring, 2000)
    for (let pauses = 0; pauses < 3; pauses++) {
      source.run(500)
      source.pause(5000)
    }
    source.run(199)
    assert.equal(rung, 0)
    source.run(700)
    assert.equal(rung, 1)
  })

  test('the clock stands still, and never goes back', () => {
    clock.setTimeout(ring, 1e9)
    const start = clock.now()
    source.run(550)
    const before = clock.now()
    assert.equal(before - start, 550)
    source.pause(3000)
    const after = clock.now()
    assert.ok(after >= before && after - before <= 100, `${after - before} ms`)
    source.run(1000)
    assert.ok(clock.now() - after === 1000)
  })

  test('it is told how long that was', () => {
    clock.setTimeout(ring, 1e9)
    const told: number[] = []
    clock.onPause.add((duration) => void told.push(duration))
    source.run(1000)
    source.pause(3000)
    source.run(1000)
    assert.equal(told.length, 1)
    assert.ok(told[0]! >= 2900 && told[0]! <= 3000, `${told[0]} ms`)
  })
})

describe('in a process that is always late', () => {
  test('a limit is kept, if later', () => {
    clock.setTimeout(ring, 1000)
    for (let blocked = 0; blocked < 40 && rung === 0; blocked++) {
      source.pause(500)
      clock.now()
      source.run(0)
    }
    assert.equal(rung, 1)
  })

  test('a timer that is a little late waits so long once, and then rings', () => {
    clock.setTimeout(ring, 1000)
    source.run(1090, 45)
    assert.equal(rung, 0)
    source.run(45, 45)
    assert.equal(rung, 1)
  })

  test('of one that is hardly late, nobody is told', () => {
    clock.setTimeout(ring, 1000)
    source.run(1010, 10)
    assert.equal(rung, 1)
  })
})

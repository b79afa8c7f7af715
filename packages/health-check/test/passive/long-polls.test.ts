import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { detecting, Detecting, type Played } from './detecting.ts'

/** How the backend c answers a probe: after so many ms, or not at all. */
type ProbeTime = number | 'never'

/** Three backends whose limit is 60 ms, where c can be asked. */
function warmed(one: Detecting, probeTime?: ProbeTime): Detecting {
  one.answerSlowly({ a: 10, b: 10, c: 10 }, 20)
  if (probeTime !== undefined)
    one.detection.askWith((backend) => {
      if (probeTime !== 'never')
        one.clock.setTimeout(() => one.detection.goodProbe(backend, false, probeTime), probeTime)
    })
  return one
}

const started = (t: TestContext, probeTime?: ProbeTime) => warmed(detecting(t, 'abc'), probeTime)

/** Plays looks, just before each of which the others have answered. */
function look(one: Detecting, times: number): void {
  for (let count = 0; count < times; count++) {
    const untilLook = 500 - ((one.clock.now() - 1000) % 500)
    one.clock.advance(untilLook - 1)
    one.answer('a', 200, 2)
    one.answer('b', 200, 2)
    one.clock.advance(1)
  }
}

const poll = (one: Detecting, times: number): Played[] =>
  Array.from({ length: times }, (_, index) => one.begin('c', `/poll?${index}`))

function answerAll(one: Detecting, polls: readonly Played[]): void {
  for (const attempt of polls) {
    one.respond(attempt)
    one.end(attempt)
  }
}

describe('before silence ejects, the backend is probed', () => {
  for (const probeTime of [1, 100, 499, 700]) {
    test(`one whose probes are answered after ${probeTime} ms stays, however long its requests wait`, (t) => {
      const one = started(t, probeTime)
      if (probeTime > 500) one.detection.goodProbe(one.backend('c'), false, probeTime)
      poll(one, 30)
      look(one, 200)
      assert.deepEqual([one.out, one.judged], ['', ''])
      // The last probe is still to be answered.
      one.detection.askWith(() => {})
      one.clock.advance(probeTime)
    })
  }

  test('one that hangs in its probes too is out as soon as without any', (t) => {
    const plain = started(t)
    const probed = started(t, 'never')
    for (const one of [plain, probed]) {
      poll(one, 3)
      look(one, 1)
      assert.equal(one.out, '')
      look(one, 1)
      assert.equal(one.out, 'c')
    }
    assert.equal(probed.backend('c').vetoes[0]!.reason, plain.backend('c').vetoes[0]!.reason)
  })

  test('so is one that hangs later, while its requests wait', (t) => {
    const one = started(t, 5)
    poll(one, 5)
    look(one, 20)
    assert.equal(one.out, '')
    one.detection.askWith(() => {})
    look(one, 2)
    assert.equal(one.out, 'c')
  })

  test('a probe that could not be sent refutes nothing and confirms nothing', (t) => {
    const one = started(t)
    one.detection.askWith((backend) => one.clock.setTimeout(() => one.detection.noProbe(backend), 1))
    poll(one, 5)
    look(one, 20)
    assert.equal(one.out, '')
    one.detection.askWith(() => {})
    look(one, 2)
    assert.equal(one.out, 'c')
  })

  test('one is asked once for each two looks, and nobody without suspicion', (t) => {
    const one = started(t)
    const asked: string[] = []
    one.detection.askWith((backend) => {
      asked.push(backend.id)
      one.clock.setTimeout(() => one.detection.goodProbe(backend, false, 1), 1)
    })
    look(one, 10)
    assert.deepEqual(asked, [])
    poll(one, 5)
    look(one, 10)
    assert.ok(asked.length >= 5 && asked.length <= 10, asked.join())
    assert.deepEqual([...new Set(asked)], ['c'])
    one.clock.advance(1)
  })
})

describe('without probes, paths that are known to wait are no silence', () => {
  test('for as long as they took before', (t) => {
    const one = started(t)
    look(one, 1)
    const first = poll(one, 2)
    look(one, 40)
    answerAll(one, first)
    // 20 s it took.
    poll(one, 10)
    look(one, 40)
    assert.deepEqual([one.out, one.judged], ['', ''])
    look(one, 14)
    assert.equal(one.out, 'c', 'no longer than that')
  })

  test('others that wait beside them do count', (t) => {
    const one = started(t)
    look(one, 1)
    const first = poll(one, 2)
    look(one, 40)
    answerAll(one, first)
    poll(one, 10)
    for (let count = 0; count < 3; count++) one.begin('c', '/')
    look(one, 2)
    assert.equal(one.out, 'c')
    assert.match(one.backend('c').vetoes[0]!.reason, /^hanging: 3 requests have waited/)
  })

  test('nor does it count how slow their answers were', (t) => {
    const one = started(t)
    look(one, 20)
    // As many as anybody needs to be judged.
    for (let round = 0; round < 3; round++) {
      const polls = poll(one, round === 0 ? 2 : 40)
      look(one, 6)
      answerAll(one, polls)
      one.answer('a', 200, 20)
      one.answer('b', 200, 20)
      look(one, 1)
    }
    look(one, 40)
    assert.deepEqual([one.out, one.judged], ['', ''])
  })
})

test('property: long polls of one backend never eject it, and a hang always does, at the same look as ever', () => {
  const anyCase = fc.record({
    polls: fc.integer({ min: 3, max: 40 }),
    every: fc.integer({ min: 1, max: 6 }),
    probeTime: fc.integer({ min: 0, max: 249 }),
    rounds: fc.integer({ min: 1, max: 8 }),
    offset: fc.integer({ min: 0, max: 499 }),
    others: fc.boolean(),
  })
  fc.assert(
    fc.property(anyCase, ({ polls, every, probeTime, rounds, offset, others }) => {
      const one = warmed(new Detecting('abc'), probeTime)
      one.clock.advance(offset)
      let open = poll(one, polls)
      for (let round = 0; round < rounds; round++) {
        look(one, every)
        if (others) one.answer('b', 200, 3)
        assert.deepEqual([one.out, one.judged], ['', ''], `round ${round}`)
        answerAll(one, open)
        open = poll(one, polls)
      }
      // It hangs from now on, in everything: two looks, at most one more for the probe that was answered last.
      one.detection.askWith(() => {})
      for (let count = 0; count < 3; count++) one.begin('c', '/')
      look(one, 4)
      assert.equal(one.out, 'c')
      one.detection.stop()
    }),
    { seed: 20_260_301, numRuns: 300 },
  )
})

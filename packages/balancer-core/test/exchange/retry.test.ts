import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failures, type FailureReason } from '../../src/failure.ts'
import { RetryBudget } from '../../src/attempt/retry-budget.ts'
import type { RetryOptions } from '../../src/attempt/retry-options.ts'
import { isFree, maxRedirects, mayRetry, type RetryQuestion } from '../../src/exchange/retry.ts'

/** Takes out all that there is. */
function drained(budget: RetryBudget, now: number): number {
  let count = 0
  while (budget.withdraw(now)) {
    if (++count > 1_000_000) assert.fail('the budget has no end')
  }
  return count
}

function deposit(budget: RetryBudget, count: number, now: number): void {
  for (let index = 0; index < count; index++) budget.deposit(now)
}

describe('the budget', () => {
  test('allows its floor for each of 10 s, without any traffic', () => {
    assert.equal(drained(new RetryBudget({ ratio: 0.2, floor: 10 }), 0), 100)
    assert.equal(drained(new RetryBudget({ ratio: 0.2, floor: 0.1 }), 0), 1)
    assert.equal(drained(new RetryBudget({ ratio: 0.2, floor: 0 }), 0), 0)
  })

  test('allows a share of the requests on top', () => {
    const budget = new RetryBudget({ ratio: 0.2, floor: 10 })
    deposit(budget, 50, 0)
    assert.equal(drained(budget, 0), 110)
    deposit(budget, 5, 0)
    assert.equal(drained(budget, 0), 1)
    deposit(budget, 4, 0)
    assert.equal(drained(budget, 0), 0)
    deposit(budget, 1, 0)
    assert.equal(drained(budget, 0), 1)
  })

  test('allows exactly the share, however many requests there were', () => {
    for (const [ratio, every] of [
      [0.2, 5],
      [0.1, 10],
      [0.25, 4],
      [0.5, 2],
      [1, 1],
    ] as const) {
      for (const retries of [1, 2, 3, 10, 1000]) {
        const budget = new RetryBudget({ ratio, floor: 0 })
        deposit(budget, retries * every - 1, 0)
        assert.equal(drained(budget, 0), retries - 1, `${ratio} of ${retries * every - 1}`)
        budget.deposit(0)
        assert.equal(drained(budget, 0), 1, `${ratio} of ${retries * every}`)
      }
    }
  })

  test('what was taken and could not be used is put back', () => {
    const budget = new RetryBudget({ ratio: 0, floor: 0.2 })
    assert.equal(budget.withdraw(0), true)
    assert.equal(budget.withdraw(500), true)
    assert.equal(budget.withdraw(500), false)
    budget.refund(500)
    assert.equal(drained(budget, 500), 1)
  })

  test('a ratio of 0 leaves the floor alone', () => {
    const budget = new RetryBudget({ ratio: 0, floor: 1 })
    deposit(budget, 1000, 0)
    assert.equal(drained(budget, 0), 10)
  })

  test('requests count for 10 s, and for none longer', () => {
    for (const [now, left] of [
      [0, 1],
      [999, 1],
      [9999, 1],
      [10_000, 0],
      [10_500, 0],
    ] as const) {
      const budget = new RetryBudget({ ratio: 0.2, floor: 0 })
      deposit(budget, 5, 0)
      assert.equal(drained(budget, now), left, `at ${now}`)
    }
  })

  test('retries count for 10 s, and for none longer', () => {
    const budget = new RetryBudget({ ratio: 0.2, floor: 10 })
    assert.equal(drained(budget, 3500), 100)
    assert.equal(drained(budget, 12_999), 0)
    assert.equal(drained(budget, 13_000), 100)
  })

  test('each second expires by itself', () => {
    const budget = new RetryBudget({ ratio: 1, floor: 0 })
    for (let second = 0; second < 10; second++) deposit(budget, second + 1, second * 1000)
    // 1 + 2 + … + 10, then without the 1, and then without 2 and 3 either.
    assert.equal(budget.withdraw(9999), true)
    assert.equal(drained(budget, 10_000), 55 - 1 - 1)
    deposit(budget, 6, 10_001)
    // What was taken out in seconds 9 and 10 still weighs on what was put in during seconds 1 and 2.
    assert.equal(drained(budget, 12_000), 6 - (2 + 3))
  })

  test('over any 10 s of steady traffic with all retries taken, allows no more than 10/s and 20 %', () => {
    const budget = new RetryBudget({ ratio: 0.2, floor: 10 })
    const taken: number[] = []
    for (let second = 0; second < 60; second++) {
      deposit(budget, 100, second * 1000)
      taken.push(drained(budget, second * 1000 + 999))
    }
    assert.equal(taken[0], 100 + 20)
    for (let start = 0; start + 10 <= taken.length; start++) {
      const sum = taken.slice(start, start + 10).reduce((total, part) => total + part, 0)
      assert.equal(sum, 100 + 200, `from second ${start}`)
    }
  })

  test('a jump forward forgets everything, at once', () => {
    const budget = new RetryBudget({ ratio: 1, floor: 1 })
    deposit(budget, 50, 500)
    assert.equal(drained(budget, 1500), 60)
    assert.equal(drained(budget, 1e15), 10)
    deposit(budget, 3, 1e15)
    assert.equal(drained(budget, 1e15), 3)
  })

  test('a jump within the window forgets only what has passed', () => {
    const budget = new RetryBudget({ ratio: 1, floor: 0 })
    deposit(budget, 1, 0)
    deposit(budget, 2, 4000)
    assert.equal(drained(budget, 13_000), 2)
  })

  test('a jump back allows no retry twice', () => {
    const budget = new RetryBudget({ ratio: 1, floor: 1 })
    assert.equal(drained(budget, 100_000), 10)
    assert.equal(drained(budget, 95_000), 0)
    deposit(budget, 2, 95_000)
    assert.equal(drained(budget, 95_000), 2)
    assert.equal(drained(budget, 99_999), 0)
  })
})

const options: RetryOptions = {
  attempts: 1,
  methods: ['GET', 'HEAD', 'OPTIONS'],
  statuses: [],
  grpc: [],
  delay: 0,
  budget: { ratio: 0, floor: 10 },
}
const sentGet: RetryQuestion = {
  reason: 'reset-before-headers',
  started: true,
  method: 'GET',
  replayable: true,
  attempts: 1,
  resent: 0,
  renewed: false,
  now: 0,
}

function answer(question: Partial<RetryQuestion>, changed: Partial<RetryOptions> = {}): boolean {
  return mayRetry({ ...sentGet, ...question }, { ...options, ...changed }, new RetryBudget({ ratio: 0, floor: 10 }))
}

describe('another attempt', () => {
  test('after a request that may have been acted upon needs every condition', () => {
    assert.equal(answer({}), true)
    assert.equal(answer({ method: 'HEAD' }), true)
    assert.equal(answer({ method: 'OPTIONS' }), true)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'get', '']) assert.equal(answer({ method }), false, method)
    assert.equal(answer({ method: 'PUT' }, { methods: ['PUT'] }), true)
    assert.equal(answer({ method: 'GET' }, { methods: ['PUT'] }), false)
    assert.equal(answer({ replayable: false }), false)
    assert.equal(answer({ resent: 1 }), false)
    assert.equal(answer({ resent: 1 }, { attempts: 2 }), true)
    assert.equal(answer({ resent: 2 }, { attempts: 2 }), false)
    assert.equal(answer({}, { attempts: 0 }), false)
  })

  test('after one that was never sent goes elsewhere, with any method, body and budget', () => {
    const unsent = { reason: 'connect-refused', started: false } as const
    const empty = new RetryBudget({ ratio: 0, floor: 0 })
    for (const method of ['GET', 'POST', 'PATCH', 'BREW']) {
      for (const replayable of [true, false]) {
        const question = { ...sentGet, ...unsent, method, replayable, resent: 7 }
        assert.equal(mayRetry(question, { ...options, attempts: 0, methods: [] }, empty), true)
      }
    }
  })

  test('after one that was never sent knocks on no more than so many doors', () => {
    assert.equal(maxRedirects, 10)
    for (let attempts = 1; attempts <= maxRedirects; attempts++) {
      assert.equal(answer({ reason: 'connect-refused', started: false, attempts }), true)
    }
    assert.equal(answer({ reason: 'connect-refused', started: false, attempts: maxRedirects + 1 }), false)
  })

  test('is made or not by the rule of the failure, for every reason', () => {
    for (const [reason, { retry }] of Object.entries(failures)) {
      for (const started of [true, false]) {
        assert.equal(answer({ reason: reason as FailureReason, started }), retry !== 'never', `${reason} ${started}`)
      }
    }
  })

  describe('after a kept connection that had been closed', () => {
    const stale = { reason: 'stale-connection' } as const
    const none = { methods: [], statuses: [], grpc: [], delay: 0, attempts: 1, budget: { ratio: 0, floor: 0 } }
    const empty = new RetryBudget(none.budget)

    test('needs an idempotent method, whatever the options name, and no budget', () => {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
        assert.equal(mayRetry({ ...sentGet, ...stale, method }, none, empty), true, method)
      for (const method of ['POST', 'PATCH', 'CONNECT', 'PROPFIND', 'put', ''])
        assert.equal(mayRetry({ ...sentGet, ...stale, method }, none, empty), false, method)
    })

    test('needs the whole body, and retries that are not off', () => {
      assert.equal(mayRetry({ ...sentGet, ...stale, replayable: false }, none, empty), false)
      assert.equal(mayRetry({ ...sentGet, ...stale }, { ...none, attempts: 0 }, empty), false)
    })

    test('does not count as one that repeats, nor do those count against it', () => {
      assert.equal(mayRetry({ ...sentGet, ...stale, resent: 1 }, none, empty), true)
      assert.equal(isFree({ ...sentGet, ...stale }, options), true)
      assert.equal(isFree(sentGet, options), false)
    })

    test('is made once; then the rule is that of any request that may have been acted upon', () => {
      const again = { ...stale, renewed: true }
      assert.equal(mayRetry({ ...sentGet, ...again }, none, empty), false)
      assert.equal(answer(again), true)
      assert.equal(answer({ ...again, method: 'PUT' }), false)
      assert.equal(answer({ ...again, resent: 1 }), false)
    })
  })

  test('after a status is made as after any request that was acted upon', () => {
    assert.equal(answer({ reason: 'status' }), true)
    assert.equal(answer({ reason: 'status', method: 'POST' }), false)
    assert.equal(answer({ reason: 'status', replayable: false }), false)
    assert.equal(answer({ reason: 'status', resent: 1 }), false)
  })

  test('takes one out of the budget, and stops when that is empty', () => {
    const budget = new RetryBudget({ ratio: 0, floor: 0.3 })
    const answers = [1, 2, 3, 4].map(() => mayRetry(sentGet, options, budget))
    assert.deepEqual(answers, [true, true, true, false])
  })

  test('takes nothing out of the budget when it is not made, or sends nothing twice', () => {
    const budget = new RetryBudget({ ratio: 0, floor: 0.1 })
    for (const question of [
      { reason: 'client-gone' },
      { method: 'POST' },
      { replayable: false },
      { resent: 1 },
      { reason: 'connect-refused', started: false },
    ] as const) {
      mayRetry({ ...sentGet, ...question }, options, budget)
    }
    assert.equal(drained(budget, 0), 1)
  })
})

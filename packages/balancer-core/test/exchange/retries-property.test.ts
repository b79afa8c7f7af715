import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import type { Attempt } from '../../src/attempt/attempt.ts'
import { Balancer } from '../../src/balancer.ts'
import { maxRedirects, Retries } from '../../src/exchange/retry.ts'
import { failures, type FailureReason } from '../../src/failure.ts'

/** The same numbers in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >> 8) % below
  }
}

const unsent = ['connect-refused', 'connect-failed', 'connect-timeout', 'dns-failed', 'out-of-sockets'] as const
const sent = ['reset-before-headers', 'stale-connection', 'bad-response', 'headers-timeout', 'status'] as const

for (let seed = 1; seed <= 20; seed++)
  test(`whatever fails in turn, no request is repeated more often than it may be: ${seed}`, async () => {
    const next = numbers(seed)
    const clock = new ManualClock()
    const delay = [0, 100][next(2)]!
    const attempts = next(4)
    const balancer = new Balancer({
      backends: Array.from({ length: 1 + next(3) }, (_, index) => `http://127.0.0.1:${index + 1}`),
      clock,
      random: () => next(1000) / 1000,
      // As much as there is: what is taken and given back is counted.
      retry: { attempts, delay, budget: { ratio: 0, floor: 1000 } },
    })
    const { budget } = balancer
    let paid = 0
    const withdraw = budget.withdraw.bind(budget)
    const refund = budget.refund.bind(budget)
    budget.withdraw = (now) => withdraw(now) && ++paid > 0
    budget.refund = (now) => {
      paid--
      refund(now)
    }
    for (let round = 0; round < 200; round++) {
      paid = 0
      const method = ['GET', 'POST', 'PUT'][next(3)]!
      const proceeded: Attempt[] = []
      const exchange = {
        balancer,
        clock,
        options: balancer.options,
        attempts: [] as Attempt[],
        method,
        url: '/',
        headers: {},
        proceed: (picked: Attempt | string) => void (typeof picked === 'object' && proceeded.push(picked)),
      }
      const retries = new Retries(exchange as never)
      const told: string[] = []
      let repeated = 0
      let current = balancer.pick(exchange as never)
      while (typeof current === 'object') {
        const attempt: Attempt = current
        exchange.attempts.push(attempt)
        attempt.started = next(2) === 0
        const reason: FailureReason | 'status' = attempt.started
          ? sent[next(sent.length)]!
          : unsent[next(unsent.length)]!
        told.push(`${attempt.backend.id} ${reason}`)
        const paidBefore = paid
        const picked = retries.after(attempt, reason, { method, body: null, upgrade: undefined })
        if (picked === undefined) break
        retries.decided(typeof picked === 'object')
        // What came to nothing costs nothing.
        if (typeof picked !== 'object') assert.equal(paid, paidBefore, told.join())
        if (typeof picked !== 'object') break
        const before = proceeded.length
        retries.proceed(picked, attempt, reason)
        if (proceeded.length === before) {
          assert.ok(delay > 0, 'it waits without a delay')
          clock.advance(delay * 10)
        }
        assert.equal(proceeded.length, before + 1)
        current = proceeded.at(-1)!
        const isSame = current.backend === attempt.backend
        const isRenewed = reason === 'stale-connection'
        if (attempt.started && !isRenewed) repeated++
        if (isSame && !isRenewed) {
          assert.equal(balancer.backends.length, 1)
          assert.ok(reason === 'status' || failures[reason].retry === 'anywhere', told.join())
          assert.ok(attempt.started || delay > 0, told.join())
        }
        if (method === 'POST') assert.ok(!attempt.started, told.join())
      }
      // Each repetition is paid for; one that renews a connection is free, once.
      assert.ok(
        paid <= attempts && repeated <= paid,
        `${told.join()}: ${paid} of ${attempts} paid, ${repeated} repeated`,
      )
      assert.ok(exchange.attempts.length <= maxRedirects + 1)
    }
    await balancer.close()
  })

import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { ManualClock } from '../../../test/support/clock.ts'
import type { Attempt } from '../src/attempt/attempt.ts'
import { Balancer, type WaitingExchange } from '../src/balancer.ts'
import type { Outcome } from '../src/failure.ts'
import type { BalancerOptions } from '../src/options.ts'

function balancing(t: TestContext, options: BalancerOptions = {}) {
  const clock = new ManualClock()
  const backends = ['a', 'b', 'c'].map((id) => ({ url: `http://${id}.test`, id, maxInFlight: 1 }))
  const balancer = new Balancer({ backends, clock, ...options })
  t.after(() => balancer.close())
  return { balancer, clock }
}

/** An exchange that does nothing but go where it is sent, and stay there. */
function exchanging(...tried: Attempt[]): WaitingExchange & { readonly attempts: Attempt[] } {
  const attempts = [...tried]
  return {
    method: 'GET',
    url: '/',
    headers: {},
    attempts,
    previousWaiter: undefined,
    nextWaiter: undefined,
    waiting: false,
    attempt(attempt: Attempt) {
      attempts.push(attempt)
      attempt.backend.inFlight++
    },
  } as unknown as WaitingExchange & { readonly attempts: Attempt[] }
}

function picked(balancer: Balancer, exchange = exchanging()): string {
  const attempt = balancer.pick(exchange)
  return typeof attempt === 'object' ? attempt.backend.id : attempt
}

/** Picks, and lets what was picked run. */
function begin(balancer: Balancer, exchange = exchanging()): Attempt {
  const attempt = balancer.pick(exchange)
  if (typeof attempt !== 'object') assert.fail(attempt)
  balancer.counts.attemptStarted(attempt)
  return attempt
}

function end(balancer: Balancer, attempt: Attempt, outcome: Outcome = 'ok'): void {
  balancer.counts.attemptEnded(attempt, outcome)
}

describe('pick', () => {
  test('asks the policy, and numbers the attempts of an exchange', (t) => {
    const { balancer } = balancing(t)
    const exchange = exchanging()
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      const attempt = balancer.pick(exchange)
      assert.ok(typeof attempt === 'object')
      assert.equal(attempt.backend.id, id)
      assert.equal(attempt.number, index + 1)
      assert.equal(attempt.exchange, exchange)
      exchange.attempts.push(attempt)
    }
  })

  test('answers none where there is no backend', (t) => {
    const { balancer } = balancing(t, { backends: [] })
    assert.equal(picked(balancer), 'none')
  })

  test('passes over those that have no room, and answers saturated when all are full', (t) => {
    const { balancer } = balancing(t)
    balancer.backend('a').inFlight = 1
    assert.equal(picked(balancer), 'b')
    balancer.backend('c').inFlight = 1
    assert.equal(picked(balancer), 'b')
    balancer.backend('b').inFlight = 1
    assert.equal(picked(balancer), 'saturated')
  })

  test('passes over those that were tried, and answers none when all were', (t) => {
    const { balancer } = balancing(t)
    const exchange = exchanging()
    const ids: string[] = []
    for (let answer = balancer.pick(exchange); ; answer = balancer.pick(exchange)) {
      if (typeof answer !== 'object') {
        assert.equal(answer, 'none')
        break
      }
      ids.push(answer.backend.id)
      exchange.attempts.push(answer)
    }
    assert.deepEqual(ids, ['a', 'b', 'c'])
  })

  test('goes on to less preferred ones when all the others were tried, and not because they are full', (t) => {
    const { balancer } = balancing(t, {
      backends: Object.entries({ a: 0, b: 0, c: 2, d: 1, e: 1 }).map(([id, priority]) => {
        return { url: `http://${id}.test`, id, priority, maxInFlight: 2 }
      }),
    })
    const tried = (...ids: string[]) =>
      exchanging(...ids.map((id) => ({ backend: balancer.backend(id) }) as unknown as Attempt))
    assert.equal(picked(balancer, tried('a', 'b')), 'd')
    balancer.backend('d').inFlight = 1
    assert.equal(picked(balancer, tried('a', 'b')), 'e')
    assert.equal(picked(balancer, tried('a', 'b', 'e')), 'd')
    assert.equal(picked(balancer, tried('a', 'b', 'd', 'e')), 'c')
    assert.equal(picked(balancer, tried('a', 'b', 'c', 'd', 'e')), 'none')
    for (const id of ['c', 'd', 'e']) balancer.backend(id).inFlight = 2
    assert.equal(picked(balancer, tried('a', 'b')), 'saturated')
    balancer.backend('a').inFlight = 2
    assert.equal(picked(balancer, tried('b')), 'saturated')
    balancer.backend('b').inFlight = 2
    balancer.backend('d').inFlight = 0
    assert.equal(picked(balancer), 'saturated')
    balancer.veto(balancer.backend('d'), { by: 'test', reason: 'so that it is not used' })
    balancer.backend('e').inFlight = 0
    assert.equal(picked(balancer, tried('a', 'b', 'e')), 'saturated')
  })

  test('answers saturated when one that was not tried is full: it may become free', (t) => {
    const { balancer } = balancing(t)
    const exchange = exchanging()
    exchange.attempts.push(balancer.pick(exchange) as Attempt)
    balancer.backend('b').inFlight = 1
    balancer.backend('c').inFlight = 1
    assert.equal(picked(balancer, exchange), 'saturated')
  })

  test('answers none when hooks refuse all: waiting would not help', (t) => {
    const { balancer } = balancing(t)
    balancer.addHook('onPick', () => false)
    assert.equal(picked(balancer), 'none')
  })

  test('asks another when a hook refuses, and asks none about one that was tried or is full', (t) => {
    const { balancer } = balancing(t)
    const asked: string[] = []
    balancer.addHook('onPick', ({ backend }) => {
      asked.push(backend.id)
      return backend.id !== 'b'
    })
    const exchange = exchanging()
    exchange.attempts.push(balancer.pick(exchange) as Attempt)
    assert.deepEqual(asked, ['a'])
    assert.equal(picked(balancer, exchange), 'c')
    assert.deepEqual(asked, ['a', 'b', 'c'])
    balancer.backend('c').inFlight = 1
    assert.equal(picked(balancer, exchange), 'saturated')
    assert.ok(!asked.slice(3).includes('a') && !asked.slice(3).includes('c'), asked.join(' '))
  })

  test('finds the one that has room among many, whatever the policy says', (t) => {
    const backends = Array.from({ length: 100 }, (_, index) => ({
      url: `http://b${index}.test`,
      id: `b${index}`,
      maxInFlight: 1,
    }))
    const { balancer } = balancing(t, { backends, policy: 'random', random: () => 0 })
    for (const backend of balancer.backends) backend.inFlight = 1
    balancer.backend('b77').inFlight = 0
    assert.equal(picked(balancer), 'b77')
  })

  test('spreads what the policy could not place', (t) => {
    const { balancer } = balancing(t, {
      policy: { name: 'stubborn', over: ([first]) => ({ pick: () => first, peek: () => first }) },
    })
    balancer.backend('a').inFlight = 1
    assert.deepEqual(Array.from({ length: 6 }, () => picked(balancer)).sort(), ['b', 'b', 'b', 'c', 'c', 'c'])
  })
})

describe('the counts', () => {
  test('counts what runs, what ran, and how it ended', (t) => {
    const { balancer } = balancing(t, { backends: [{ url: 'http://a.test', id: 'a' }] })
    const backend = balancer.backend('a')
    const attempts = [begin(balancer), begin(balancer), begin(balancer)] as const
    assert.deepEqual([backend.inFlight, backend.requests], [3, 3])
    end(balancer, attempts[0])
    end(balancer, attempts[1], 'connect-refused')
    end(balancer, attempts[2], 'client-gone')
    assert.deepEqual([backend.inFlight, backend.requests], [0, 3])
    assert.deepEqual(backend.outcomes, { ok: 1, 'connect-refused': 1, 'client-gone': 1 })
  })

  test('charges a backend for what it is to blame for, and for nothing else', (t) => {
    const { balancer, clock } = balancing(t, { backends: [{ url: 'http://a.test', id: 'a' }] })
    const backend = balancer.backend('a')
    for (const outcome of [
      'ok',
      'client-gone',
      'client-stalled',
      'stale-connection',
      'drain-deadline',
      'request-timeout',
    ] as const) {
      end(balancer, begin(balancer), outcome)
      assert.equal(backend.load, 0, outcome)
    }
    for (const outcome of ['connect-refused', 'reset-before-headers', 'body-truncated'] as const) {
      end(balancer, begin(balancer), outcome)
    }
    assert.equal(backend.load, 3)
    clock.advance(1000)
    assert.equal(backend.load, 1)
  })

  test('measures how long headers took', (t) => {
    const { balancer } = balancing(t)
    const attempt = begin(balancer)
    attempt.startedAt = 1000
    attempt.uploaded = true
    attempt.respondedAt = 1040
    balancer.counts.attemptResponded(attempt)
    assert.equal(attempt.backend.latency.average, 40)
    assert.equal(
      attempt.backend.latency.buckets.reduce((sum, count) => sum + count),
      1,
    )
    end(balancer, attempt)
  })

  test('tells hooks and channels, in pairs', (t) => {
    const { balancer } = balancing(t)
    const told: string[] = []
    const names = ['Start', 'Response', 'End'] as const
    for (const name of names) {
      balancer.addHook(`onAttempt${name}`, ({ backend }) => void told.push(`hook ${name} ${backend.id}`))
      const listener = (message: unknown) =>
        void told.push(`channel ${name} ${(message as { attempt: Attempt }).attempt.backend.id}`)
      const source = channel(`balancer-core:attempt:${name.toLowerCase()}`)
      source.subscribe(listener)
      t.after(() => source.unsubscribe(listener))
    }
    const attempt = begin(balancer)
    balancer.counts.attemptResponded(attempt)
    end(balancer, attempt)
    assert.deepEqual(
      told,
      names.flatMap((name) => [`hook ${name} a`, `channel ${name} a`]),
    )
  })
})

describe('the clock', () => {
  test('has a timer while attempts run, and none once they have ended', (t) => {
    const { balancer, clock } = balancing(t)
    assert.equal(clock.pending, 0)
    const attempt = begin(balancer)
    assert.equal(clock.pending, 1)
    end(balancer, attempt)
    clock.advance(250)
    assert.equal(clock.pending, 0)
  })

  test('has none left after closing, whatever runs on or has failed', async (t) => {
    const { balancer, clock } = balancing(t)
    const attempt = begin(balancer)
    end(balancer, begin(balancer), 'connect-refused')
    assert.equal(clock.pending, 2)
    await balancer.close()
    assert.equal(clock.pending, 0)
    end(balancer, attempt, 'reset-before-headers')
    assert.equal(clock.pending, 0)
  })
})

describe('those who wait', () => {
  test('go in the order in which they came, each to what has become free', async (t) => {
    const { balancer } = balancing(t)
    const running = [begin(balancer), begin(balancer), begin(balancer)] as const
    const waiting = [exchanging(), exchanging(), exchanging()] as const
    for (const exchange of waiting) assert.equal(balancer.queue.enter(exchange), true)
    end(balancer, running[1])
    await settled()
    assert.deepEqual(
      waiting.map(({ attempts }) => attempts.map(({ backend }) => backend.id).join('')),
      ['b', '', ''],
    )
    end(balancer, running[2])
    end(balancer, running[0])
    await settled()
    assert.deepEqual(
      waiting.map(({ attempts }) => attempts.map(({ backend }) => backend.id).join('')),
      ['b', 'c', 'a'],
    )
    assert.equal(balancer.queue.length, 0)
  })

  test('do not go within the call that frees a place', async (t) => {
    const { balancer } = balancing(t)
    const running = begin(balancer)
    const waiting = exchanging()
    balancer.queue.enter(waiting)
    end(balancer, running)
    assert.equal(waiting.attempts.length, 0)
    await settled()
    assert.equal(waiting.attempts.length, 1)
  })

  test('do not go to a backend that is vetoed by then', async (t) => {
    const { balancer } = balancing(t)
    const running = [begin(balancer), begin(balancer), begin(balancer)] as const
    const waiting = exchanging()
    balancer.queue.enter(waiting)
    balancer.veto(balancer.backend('a'), { by: 'test', reason: 'opinion' })
    end(balancer, running[0])
    await settled()
    assert.equal(waiting.attempts.length, 0)
    assert.equal(waiting.waiting, true)
    end(balancer, running[2])
    await settled()
    assert.deepEqual(
      waiting.attempts.map(({ backend }) => backend.id),
      ['c'],
    )
  })

  test('go when a backend joins, as many as it has room for', async (t) => {
    const { balancer } = balancing(t)
    for (let count = 0; count < 3; count++) begin(balancer)
    const waiting = [exchanging(), exchanging(), exchanging()] as const
    for (const exchange of waiting) {
      exchange.attempt = (attempt) => {
        exchange.attempts.push(attempt)
        balancer.counts.attemptStarted(attempt)
      }
      balancer.queue.enter(exchange)
    }
    await balancer.add({ url: 'http://d.test', id: 'd', maxInFlight: 2 })
    await settled()
    assert.deepEqual(
      waiting.map(({ attempts }) => attempts.length),
      [1, 1, 0],
    )
    assert.equal(balancer.queue.round().next(), waiting[2])
  })

  test('go when a limit rises, as many as there are places', async (t) => {
    const { balancer } = balancing(t)
    const [one, ...others] = balancer.backends
    for (const backend of others) balancer.veto(backend, { by: 'test', reason: 'order', hard: true })
    await balancer.update(one!.id, { maxInFlight: 4 })
    balancer.limit(one!, 1)
    begin(balancer)
    const waiting = [exchanging(), exchanging(), exchanging(), exchanging()] as const
    for (const exchange of waiting) {
      exchange.attempt = (attempt) => {
        exchange.attempts.push(attempt)
        balancer.counts.attemptStarted(attempt)
      }
      balancer.queue.enter(exchange)
    }
    balancer.limit(one!, 3.9)
    await settled()
    assert.deepEqual([one!.limit, one!.inFlight, balancer.queue.length], [3, 3, 2])
    balancer.limit(one!, Infinity)
    await settled()
    assert.deepEqual([one!.limit, one!.inFlight, balancer.queue.length], [4, 4, 1])
    assert.throws(() => balancer.limit(one!, NaN), /limit of backend .* is not a number/)
    balancer.limit(one!, 0)
    assert.equal(one!.limit, 1)
    await balancer.update(one!.id, { maxInFlight: 3 })
    assert.deepEqual([one!.limit, one!.maxInFlight], [1, 3])
    balancer.limit(one!, 50)
    assert.equal(one!.limit, 3)
  })

  test('go when the least of several limits rises', async (t) => {
    const { balancer } = balancing(t)
    const [one, ...others] = balancer.backends
    for (const backend of others) balancer.veto(backend, { by: 'test', reason: 'order', hard: true })
    await balancer.update(one!.id, { maxInFlight: 9 })
    balancer.limit(one!, 2, 'x')
    balancer.limit(one!, 1, 'y')
    begin(balancer)
    const waiting = exchanging()
    waiting.attempt = (attempt) => balancer.counts.attemptStarted(attempt)
    balancer.queue.enter(waiting)
    balancer.limit(one!, 5, 'x')
    await settled()
    assert.deepEqual([one!.limit, balancer.queue.length], [1, 1])
    assert.deepEqual([one!.limitBeside('y'), one!.limitBeside('x'), one!.limitBeside()], [5, 1, 1])
    balancer.limit(one!, Infinity, 'y')
    await settled()
    assert.deepEqual([one!.limit, one!.inFlight, balancer.queue.length], [5, 2, 0])
    balancer.limit(one!, Infinity, 'x')
    assert.equal(one!.limit, 9)
  })

  test('go when a veto is lifted, though nobody asks for the set', async (t) => {
    const { balancer } = balancing(t)
    const veto = balancer.veto(balancer.backend('a'), { by: 'test', reason: 'opinion' })
    begin(balancer)
    begin(balancer)
    const waiting = exchanging()
    balancer.queue.enter(waiting)
    veto.lift()
    await settled()
    assert.deepEqual(
      waiting.attempts.map(({ backend }) => backend.id),
      ['a'],
    )
  })
})

describe('the channel of changes', () => {
  test('is told of the list and of vetoes, with both sets and whose they are', async (t) => {
    const { balancer } = balancing(t)
    const messages: { balancer: { name: string }; now: unknown; before: unknown }[] = []
    const listener = (message: unknown) => void messages.push(message as (typeof messages)[number])
    const source = channel('balancer-core:backends:change')
    source.subscribe(listener)
    t.after(() => source.unsubscribe(listener))
    const first = balancer.set
    const veto = balancer.veto(balancer.backend('a'), { by: 'test', reason: 'opinion' })
    const second = balancer.set
    veto.lift()
    const third = balancer.set
    const fourth = await balancer.remove('a')
    assert.deepEqual(
      messages.map(({ balancer: { name }, now, before }) => [name, now, before]),
      [
        ['default', second, first],
        ['default', third, second],
        ['default', fourth, third],
      ],
    )
  })
})

test('says in the log when panic begins and ends', (t) => {
  const lines: unknown[] = []
  const say = (level: string) => (figures: object, text: string) => void lines.push([level, figures, text])
  const log = { warn: say('warn'), info: say('info') } as unknown as FastifyBaseLogger
  const balancer = new Balancer({ name: 'api', backends: ['http://a.test', 'http://b.test'] }, log)
  t.after(() => balancer.close())
  const vetoes = balancer.backends.map((backend) => balancer.veto(backend, { by: 'test', reason: 'down' }))
  assert.equal(balancer.toJSON().panicking, true)
  balancer.veto(balancer.backends[0]!, { by: 'test', reason: 'still down' })
  vetoes[1]!.lift()
  assert.equal(balancer.toJSON().panicking, false)
  assert.deepEqual(lines, [
    [
      'warn',
      { balancer: 'api', backends: 2, available: 0, eligible: 2 },
      'panic mode: 0 of 2 backends are healthy, all 2 are used',
    ],
    [
      'info',
      { balancer: 'api', backends: 2, available: 1, eligible: 1 },
      'panic mode ended: 1 of 2 backends is healthy, 1 is used',
    ],
  ])
})

test('the live view can be written down', (t) => {
  const { balancer } = balancing(t, { policy: 'p2c' })
  balancer.enter()
  balancer.enter()
  balancer.queue.enter(exchanging())
  const { backends, ...view } = JSON.parse(JSON.stringify(balancer)) as { backends: { id: string }[] }
  assert.deepEqual(view, {
    name: 'default',
    policy: 'p2c',
    revision: 1,
    panicking: false,
    exchanges: 2,
    tunnels: 0,
    waiting: 1,
  })
  assert.deepEqual(
    backends.map(({ id }) => id),
    ['a', 'b', 'c'],
  )
  balancer.leave()
  balancer.leave()
})

test('has the retry budget of its options', (t) => {
  const { balancer } = balancing(t, { retry: { budget: { ratio: 0.5, floor: 0 } } })
  balancer.budget.deposit(0)
  assert.equal(balancer.budget.withdraw(0), false)
  balancer.budget.deposit(0)
  assert.equal(balancer.budget.withdraw(0), true)
  assert.equal(balancer.budget.withdraw(0), false)
})

test('a policy of your own is given the sets, and asked', (t) => {
  const sets: string[] = []
  const { balancer } = balancing(t, {
    policy: {
      name: 'last',
      over(available) {
        sets.push(available.map(({ id }) => id).join(''))
        const last = available.at(-1)
        return { pick: () => last, peek: () => last }
      },
    },
  })
  assert.equal(picked(balancer), 'c')
  balancer.veto(balancer.backend('c'), { by: 'test', reason: 'opinion' })
  assert.equal(picked(balancer), 'b')
  assert.deepEqual(sets, ['abc', 'ab'])
})

test('a request costs no new picker', (t) => {
  const { balancer } = balancing(t)
  const over = t.mock.method(balancer.policy, 'over')
  for (let count = 0; count < 10; count++) picked(balancer)
  assert.equal(over.mock.callCount(), 0)
})

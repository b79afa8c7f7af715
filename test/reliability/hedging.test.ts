import metrics from '@fastify-balancer/metrics'
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test } from 'node:test'
import { ask } from '../support/ask.ts'
import { until } from '../support/until.ts'
import { askHttp2, startStage, unlimited, usual } from './hedging-stage.ts'

const never = () => {}

for (const lane of ['raw', 'full'] as const)
  for (const protocol of ['http1', 'h2c'] as const)
    for (const http2 of [false, true])
      describe(`${lane} lane, backends of ${protocol}, a client of HTTP/${http2 ? 2 : 1}`, () => {
        for (const winner of [1, 0] as const)
          test(`of two, ${winner === 1 ? 'the hedge' : 'the first'} responds first, and the other is cancelled`, async (t) => {
            const stage = await startStage(t, { options: { lane }, protocol, http2 })
            const answer = http2 ? askHttp2(stage.url) : ask(stage.url)
            const first = await stage.arrived(0)
            await stage.slow()
            const hedge = await stage.arrived(1)
            assert.deepEqual(
              stage.balancer.backends.map(({ inFlight }) => inFlight),
              [1, 1],
            )
            const [won, lost] = winner === 1 ? [hedge, first] : [first, hedge]
            won.answer('from the winner')
            const { status, body } = await answer
            assert.deepEqual([status, body], [200, 'from the winner'])
            await until('the loser is told', () => lost.gone)
            await stage.atRest()
            assert.deepEqual(
              stage.ended.sort(),
              [`backend-${winner === 1 ? 0 : 1} hedge-lost`, `backend-${winner} ok`].sort(),
            )
          })
      })

test('a hedge is seen in the log line, in hooks and in the counters of its backend, and counts against nobody', async (t) => {
  const stage = await startStage(t)
  const answer = ask(stage.url)
  await stage.arrived(0)
  await stage.slow()
  const hedge = await stage.arrived(1)
  stage.clock.advance(5)
  hedge.answer('ok')
  await answer
  await stage.atRest()
  const [line] = stage.log.exchanges
  assert.deepEqual(
    line!.attempts.map(({ backend, outcome, ...rest }) => [backend, outcome, 'hedge' in rest]),
    [
      ['backend-0', 'hedge-lost', false],
      ['backend-1', 'ok', true],
    ],
  )
  assert.equal(line!.msg, 'forwarded')
  assert.deepEqual(
    stage.attempts.map(({ hedge: isHedge, number, blame }) => [isHedge, number, blame]),
    [
      [false, 1, 'proxy'],
      [true, 2, undefined],
    ],
  )
  const [first, second] = stage.balancer.backends
  assert.deepEqual([first!.outcomes, second!.outcomes], [{ 'hedge-lost': 1 }, { ok: 1 }])
  assert.deepEqual([first!.penalty, first!.latency.average, second!.latency.average], [0, 0, 5])
  assert.deepEqual([first!.failed, first!.retries, second!.failed, second!.retries], [0, 0, 0, 0])
  const { requests, failed, retries } = stage.balancer.totals
  assert.deepEqual([requests, failed, retries], [1, 0, 0])
})

test('metrics count hedges apart from retries and failures', async (t) => {
  const stage = await startStage(t, { after: (app) => app.register(metrics) })
  for (const winner of [0, 1, 1] as const) {
    const count = stage.backends[0]!.held.length + 1
    const answer = ask(stage.url)
    const both = [await stage.arrived(0, count)]
    await stage.slow()
    both.push(await stage.arrived(1, count))
    both[winner]!.answer('ok')
    await answer
    await stage.atRest()
  }
  const text = await stage.app.balancerMetrics.text()
  const value = (series: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1]
  assert.equal(value('fastify_balancer_hedges_total{balancer="default"}'), '3')
  assert.equal(value('fastify_balancer_hedges_won_total{balancer="default"}'), '2')
  assert.equal(value('fastify_balancer_retries_total{balancer="default"}'), '0')
  const labels = 'balancer="default",backend="backend-0"'
  assert.equal(value(`fastify_balancer_attempts_total{${labels},outcome="hedge-lost"}`), '2')
  assert.doesNotMatch(text, /attempt_failures_total\{/)
})

describe('while one of two is running, the failure of the other has no consequences', () => {
  for (const failing of [0, 1] as const)
    test(`that of the ${failing === 0 ? 'first' : 'hedge'}`, async (t) => {
      const stage = await startStage(t, { count: 3 })
      const answer = ask(stage.url)
      const both = [await stage.arrived(0)]
      await stage.slow()
      both.push(await stage.arrived(1))
      both[failing]!.reset()
      await until('it has failed', () => stage.ended.length === 1)
      assert.deepEqual(stage.ended, [`backend-${failing} reset-before-headers`])
      both[1 - failing]!.answer('from the other')
      assert.equal((await answer).body, 'from the other')
      await stage.atRest()
      assert.equal(stage.backends[2]!.held.length, 0)
      assert.deepEqual(stage.ended, [`backend-${failing} reset-before-headers`, `backend-${1 - failing} ok`])
    })

  test('once both have failed, it is retried by the usual rules, and not hedged again', async (t) => {
    const stage = await startStage(t, { count: 4 })
    const answer = ask(stage.url)
    const first = await stage.arrived(0)
    await stage.slow()
    const hedge = await stage.arrived(1)
    first.reset()
    await until('one has failed', () => stage.ended.length === 1)
    hedge.reset()
    const retry = await stage.arrived(2)
    await stage.slow()
    retry.answer('at last')
    assert.equal((await answer).body, 'at last')
    await stage.atRest()
    assert.equal(stage.backends[3]!.held.length, 0)
    assert.deepEqual(
      stage.attempts.map(({ hedge: isHedge }) => isHedge),
      [false, true, false],
    )
  })

  test('without retries, the failure of the last one is what the client gets', async (t) => {
    const stage = await startStage(t, {
      count: 3,
      options: { retry: false, failureHeader: true, timeouts: { headers: 1000 } },
    })
    const answer = ask(stage.url)
    await stage.arrived(0)
    await stage.slow()
    const hedge = await stage.arrived(1)
    hedge.reset()
    await until('the hedge has failed', () => stage.ended.length === 1)
    stage.clock.advance(2000)
    const { status, headers } = await answer
    assert.deepEqual([status, headers['x-balancer-failure']], [504, 'headers-timeout'])
    await stage.atRest()
    assert.equal(stage.backends[2]!.held.length, 0)
    const [line] = stage.log.exchanges
    assert.match(String(line!.msg), /^failed: headers-timeout after .*, backend backend-0$/)
  })
})

describe('a status of `retry.statuses`', () => {
  const retry = { statuses: [503], attempts: 1 }
  for (const busy of [0, 1] as const)
    test(`of the ${busy === 0 ? 'first' : 'hedge'} is discarded while the other is running`, async (t) => {
      const stage = await startStage(t, { count: 3, options: { retry } })
      const answer = ask(stage.url)
      const both = [await stage.arrived(0)]
      await stage.slow()
      both.push(await stage.arrived(1))
      both[busy]!.answer('busy', 503)
      await until('it has been read', () => stage.ended.length === 1)
      both[1 - busy]!.answer('fine')
      const { status, body } = await answer
      assert.deepEqual([status, body], [200, 'fine'])
      await stage.atRest()
      assert.deepEqual(stage.ended, [`backend-${busy} ok`, `backend-${1 - busy} ok`])
      assert.equal(stage.backends[2]!.held.length, 0)
    })

  test('of both leads to a retry', async (t) => {
    const stage = await startStage(t, { count: 3, options: { retry } })
    const answer = ask(stage.url)
    const first = await stage.arrived(0)
    await stage.slow()
    const hedge = await stage.arrived(1)
    first.answer('busy', 503)
    await until('it has been read', () => stage.ended.length === 1)
    hedge.answer('busy', 503)
    const third = await stage.arrived(2)
    third.answer('busy, too', 503)
    const { status, body } = await answer
    assert.deepEqual([status, body], [503, 'busy, too'])
    await stage.atRest()
  })

  test('of the last one is passed on where none may follow', async (t) => {
    const stage = await startStage(t, { options: { retry: { statuses: [503], attempts: 0 } } })
    const answer = ask(stage.url)
    const first = await stage.arrived(0)
    await stage.slow()
    const hedge = await stage.arrived(1)
    first.answer('busy', 503)
    await until('it has been read', () => stage.ended.length === 1)
    hedge.answer('also busy', 503)
    const { status, body } = await answer
    assert.deepEqual([status, body], [503, 'also busy'])
    await stage.atRest()
  })
})

test('a client that leaves takes both with it', async (t) => {
  const stage = await startStage(t)
  const outgoing = request(stage.url, { agent: false }).on('error', never).end()
  const first = await stage.arrived(0)
  await stage.slow()
  const hedge = await stage.arrived(1)
  outgoing.destroy()
  await until('both are told', () => first.gone && hedge.gone)
  await stage.atRest()
  assert.deepEqual(stage.ended.sort(), ['backend-0 client-gone', 'backend-1 client-gone'])
})

test('a time limit of the whole request ends both', async (t) => {
  const stage = await startStage(t, { options: { timeouts: { request: 1000 } } })
  const answer = ask(stage.url)
  const first = await stage.arrived(0)
  await stage.slow()
  const hedge = await stage.arrived(1)
  stage.clock.advance(1000)
  assert.equal((await answer).status, 504)
  await until('both are told', () => first.gone && hedge.gone)
  await stage.atRest()
  // Each backend had it for most of the time.
  assert.deepEqual(stage.ended.sort(), ['backend-0 headers-timeout', 'backend-1 headers-timeout'])
})

test('a response whose headers have come is never hedged, however long its body takes', async (t) => {
  const stage = await startStage(t)
  const answer = ask(stage.url)
  const first = await stage.arrived(0)
  first.begin('begun')
  await until('the headers are there', () => stage.attempts[0]!.status === 200)
  await stage.slow()
  assert.equal(stage.attempts.length, 1)
  first.response.end()
  assert.equal((await answer).body, 'begun')
})

test('there is one hedge at most', async (t) => {
  const stage = await startStage(t, { count: 4 })
  const answer = ask(stage.url)
  await stage.arrived(0)
  for (let round = 0; round < 5; round++) await stage.slow()
  assert.equal(stage.attempts.length, 2)
  ;(await stage.arrived(1)).answer('ok')
  await answer
  await stage.atRest()
})

test('an attempt that follows a failed one is hedged, if none was before', async (t) => {
  const stage = await startStage(t, { count: 3 })
  const answer = ask(stage.url)
  ;(await stage.arrived(0)).reset()
  await stage.arrived(1)
  await stage.slow()
  ;(await stage.arrived(2)).answer('ok')
  assert.equal((await answer).body, 'ok')
  await stage.atRest()
  assert.deepEqual(stage.ended, ['backend-0 reset-before-headers', 'backend-1 hedge-lost', 'backend-2 ok'])
})

test('hints of the hedge are not passed on while the first is running', async (t) => {
  const stage = await startStage(t)
  const hints: string[] = []
  const answered = new Promise<number>((resolve) => {
    request(stage.url, { agent: false })
      .on('information', ({ headers }) => hints.push(String(headers.link)))
      .on('response', (response) => resolve(response.resume().statusCode!))
      .end()
  })
  const first = await stage.arrived(0)
  await stage.slow()
  const hedge = await stage.arrived(1)
  hedge.response.writeEarlyHints({ link: '</of-the-hedge>' })
  first.response.writeEarlyHints({ link: '</of-the-first>' })
  await until('there is a hint', () => hints.length > 0)
  first.answer('ok')
  assert.equal(await answered, 200)
  assert.deepEqual(hints, ['</of-the-first>'])
  await stage.atRest()
})

describe('how long a response takes', () => {
  test('is unknown before a hundred have been measured', async (t) => {
    const stage = await startStage(t, { measured: false })
    const { balancer, clock } = stage
    for (let count = 0; count < 100; count++) {
      assert.equal(balancer.hedging!.delay, undefined)
      const answer = ask(stage.url)
      const held = await stage.arrived(0, count + 1)
      clock.advance(count < 95 ? 8 : 80)
      held.answer('ok')
      await answer
    }
    // 95 of 100 took 8 ms; buckets reach 4.4 % further than each other.
    const { delay } = balancer.hedging!
    assert.ok(delay! >= 8 && delay! < 8.4, `${delay}`)
    assert.equal(stage.attempts.length, 100)
    void ask(stage.url)
    await stage.arrived(0, 101)
    clock.advance(8)
    await stage.slow()
    assert.equal(stage.attempts.length, 102)
  })

  test('is counted from the first of two, or slow backends would make the delay ever shorter', async (t) => {
    const stage = await startStage(t, { measured: false })
    const { hedging } = stage.balancer
    for (let measure = 0; measure < 100; measure++) hedging!.measure(measure < 94 ? 8 : usual)
    const before = hedging!.delay!
    // Each of these is slower than the percentile, and its hedge is fast.
    for (let count = 1; count <= 20; count++) {
      const answer = ask(stage.url)
      await stage.arrived(0, count)
      await stage.slow()
      stage.clock.advance(1)
      ;(await stage.arrived(1, count)).answer('ok')
      await answer
    }
    assert.ok(hedging!.delay! >= before, `${hedging!.delay} < ${before}`)
    await stage.atRest()
  })

  test('is never less than `minDelay`', async (t) => {
    const stage = await startStage(t, { options: { hedge: { ...unlimited, minDelay: 300 } } })
    void ask(stage.url)
    await stage.arrived(0)
    stage.clock.advance(299)
    assert.equal(stage.attempts.length, 1)
    await stage.slow()
    assert.equal(stage.attempts.length, 2)
  })

  test('is forgotten when there was no traffic', async (t) => {
    const stage = await startStage(t)
    stage.clock.advance(20_000)
    assert.equal(stage.balancer.hedging!.delay, undefined)
    void ask(stage.url)
    await stage.arrived(0)
    await stage.slow()
    assert.equal(stage.attempts.length, 1)
  })
})

test('hedging is off by default, and can be switched on and off while the balancer runs', async (t) => {
  const stage = await startStage(t, { options: { hedge: false } })
  const { balancer } = stage
  assert.equal(balancer.hedging, undefined)
  const switchTo = async (hedge: false | typeof unlimited) => {
    const backends = balancer.listed.map(({ url, id }) => ({ url, id }))
    const change = await balancer.prepare({ backends, policy: balancer.policy, hedge })
    assert.deepEqual(
      change.changes.map(({ option }) => option),
      ['hedge'],
    )
    change.commit()
  }
  await switchTo(unlimited)
  for (let measure = 0; measure < 100; measure++) balancer.hedging!.measure(usual)
  const before = ask(stage.url)
  await stage.arrived(0)
  await switchTo(false)
  assert.equal(stage.clock.pending, 1)
  await stage.slow()
  assert.equal(stage.attempts.length, 1)
  stage.backends[0]!.held[0]!.answer('ok')
  assert.equal((await before).body, 'ok')
  await stage.atRest()
})

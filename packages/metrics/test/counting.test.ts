import type { Attempt, ExchangeView, Outcome } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prefersOpenMetrics } from '../src/exposition/accept.ts'
import { Distribution } from '../src/traffic/distribution.ts'
import { samplesOf } from '../src/families/family.ts'
import { queueWaitOf } from '../src/traffic/queue-wait.ts'
import { Traffic } from '../src/traffic/traffic.ts'

test('a bound belongs to its bucket, and what is above all bounds is counted too', () => {
  const distribution = new Distribution([0.07, 0.1, 1])
  for (const duration of [0, 70, 70.001, 100, 1000, 1001]) distribution.observe(duration)
  assert.deepEqual(distribution.counts, [2, 2, 1, 1])
  assert.equal(distribution.count, 6)
  assert.deepEqual(
    [...samplesOf('m', { x: 'y' }, distribution)].map(({ metricName, labels, value }) => [
      metricName,
      labels['le'],
      value,
    ]),
    [
      ['m_bucket', 0.07, 2],
      ['m_bucket', 0.1, 4],
      ['m_bucket', 1, 5],
      ['m_bucket', '+Inf', 6],
      ['m_sum', undefined, (0 + 70) / 1000 + 70.001 / 1000 + 0.1 + 1 + 1.001],
      ['m_count', undefined, 6],
    ],
  )
})

type Times = readonly [startedAt: number, respondedAt: number, endedAt: number, outcome?: Outcome]

/** An exchange that began at 100 and ended at 200. */
function waited(outcome: Outcome, ...attempts: readonly Times[]): number | undefined {
  return waitedSince(0, outcome, attempts)
}

function waitedSince(waitingSince: number, outcome: Outcome, attempts: readonly Times[]): number | undefined {
  const [startedAt, endedAt] = [100, 200]
  return queueWaitOf({
    startedAt,
    waitingSince,
    endedAt,
    outcome,
    attempts: attempts.map(
      ([began, respondedAt, ended, how]) =>
        ({ startedAt: began, respondedAt, endedAt: ended, outcome: how }) as Attempt,
    ),
  } as unknown as ExchangeView)
}

test('a request that another one has displaced in the queue has waited', () => {
  assert.equal(waitedSince(100, 'queue-full', []), 100)
  assert.equal(waitedSince(0, 'queue-full', []), undefined)
})

test('the wait for a backend is the time without an attempt', () => {
  assert.equal(waited('ok', [100, 150, 190, 'ok']), 0)
  assert.equal(waited('ok', [130, 150, 190, 'ok']), 30)
  // Flushing to the client, or an answer that says what went wrong, is no waiting.
  assert.equal(waited('reset-before-headers', [130, 0, 150, 'reset-before-headers']), 30)
  assert.equal(waited('client-gone', [130, 140, 150, 'ok']), 30)
  // A retry that had to wait as well.
  assert.equal(waited('ok', [110, 0, 120, 'connect-refused'], [160, 170, 180, 'ok']), 10 + 40)
  // Of a response that is not wanted, the rest may still arrive while the next attempt is under way.
  assert.equal(waited('ok', [100, 120, 190, 'ok'], [125, 130, 140, 'ok']), 5)
  assert.equal(waited('ok', [100, 120, 0], [125, 130, 140, 'ok']), 5)
  // Beside a slow one, another was sent: nothing waited, whichever responded first, and whatever became of the other.
  assert.equal(waited('ok', [110, 150, 190, 'ok'], [140, 0, 150, 'hedge-lost']), 10)
  assert.equal(waited('ok', [110, 0, 150, 'hedge-lost'], [140, 150, 190, 'ok']), 10)
  assert.equal(waited('ok', [110, 150, 190, 'ok'], [120, 0, 130, 'reset-before-headers']), 10)
  assert.equal(waited('client-gone', [110, 0, 120, 'connect-refused'], [115, 0, 200, 'client-gone']), 10)
  // Both failed, and a retry had to wait.
  assert.equal(
    waited('ok', [110, 0, 150, 'reset-before-headers'], [120, 0, 130, 'reset-before-headers'], [160, 170, 180, 'ok']),
    10 + 10,
  )
  // It never came to another.
  assert.equal(waited('queue-timeout', [110, 0, 120, 'connect-refused']), 10 + 80)
  assert.equal(waited('queue-timeout', [110, 120, 130, 'ok']), 10 + 80)
  assert.equal(waited('client-gone', [110, 0, 120, 'connect-refused']), 10 + 80)
})

test('who got no attempt at all has waited to the end, unless that was decided at once', () => {
  for (const outcome of ['queue-timeout', 'client-gone', 'request-timeout'] as const) assert.equal(waited(outcome), 100)
  for (const outcome of ['bad-request', 'rewrite-failed', 'no-backend', 'queue-full'] as const)
    assert.equal(waited(outcome), undefined)
})

test('the time of an exchange is counted once, whatever became of it', () => {
  const traffic = new Traffic([1])
  const ended = (status: number, attempts: number, outcome?: Outcome) =>
    traffic.exchangeEnded({
      startedAt: 100,
      waitingSince: 0,
      endedAt: 350,
      status,
      outcome,
      attempts: Array.from({ length: attempts }, () => ({ startedAt: 100, respondedAt: 0, endedAt: 100, outcome })),
    } as unknown as ExchangeView)
  ended(503, 0, 'no-backend')
  ended(204, 1, 'ok')
  ended(502, 3, 'connect-refused')
  ended(0, 2, 'client-gone')
  assert.deepEqual([traffic.duration.count, traffic.duration.sum], [4, 1])
  assert.deepEqual([traffic.queueWait.count, traffic.queueWait.sum], [3, 0])
})

test('attempts beside a slow one are counted, and those that responded first', () => {
  const traffic = new Traffic([1])
  const at = { startedAt: 100, respondedAt: 0, endedAt: 100 }
  const [slow, beside, retry] = [
    { ...at, hedge: false },
    { ...at, hedge: true },
    { ...at, hedge: false },
  ]
  const ended = (attempts: readonly object[], answeredBy?: object) =>
    traffic.exchangeEnded({
      startedAt: 100,
      endedAt: 350,
      status: 200,
      attempts,
      answeredBy,
    } as unknown as ExchangeView)
  ended([slow], slow)
  ended([slow, beside], beside)
  ended([slow, beside], slow)
  ended([slow, beside, retry], retry)
  ended([slow, beside])
  assert.deepEqual([traffic.hedges, traffic.hedgesWon], [4, 1])
})

test('OpenMetrics is for those who name it, and like it no less than text', () => {
  const yes = [
    'application/openmetrics-text',
    'text/plain, application/openmetrics-text',
    'Application/OpenMetrics-Text; Version=1.0.0; Q=0.5, text/plain; q=0.4',
    'application/openmetrics-text;q=0.1, */*',
  ]
  const no = [
    undefined,
    '',
    '*/*',
    'text/plain',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;q=0.5, text/plain',
  ]
  for (const accept of yes) assert.equal(prefersOpenMetrics(accept), true, accept)
  for (const accept of no) assert.equal(prefersOpenMetrics(accept), false, accept ?? 'none')
})

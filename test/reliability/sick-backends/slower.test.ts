import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { attemptsFromNow, noProbes, spread, startChecked, vetoed } from './checked-app.ts'
import { startFourMoody } from './moody-backend.ts'
import { p99 } from './steady-load.ts'

const usual = 20
const twentyfold = 20 * usual
/** Of outlier detection (ms). */
const interval = 1000

test('a backend that becomes 20 times slower is left out within two intervals, and nobody else is', async (t) => {
  const backends = await startFourMoody(t, { delay: usual })
  const { app, balancer, url, load } = await startChecked(t, {
    backends,
    healthCheck: { ...noProbes, outliers: { interval, ejectFor: 60_000, latency: { atLeast: 300 } } },
  })
  const victim = balancer.backend('a')
  load.begin(url)
  await until('every backend has been watched for an interval', () =>
    app.healthCheck.toJSON().every(({ passive }) => passive.lastInterval.attempts >= 20),
  )

  const healthy = p99(load.samples)
  const slowAt = performance.now()
  backends[0]!.mood = { delay: twentyfold }
  const took = await vetoed(victim)
  const [veto] = victim.vetoes
  assert.equal(veto!.by, 'outlier-detection')
  assert.match(veto!.reason, /^p90 \d+ ms, [\d.]+ × the median of its peers/)
  const leftAt = performance.now()
  const attempts = attemptsFromNow(balancer)
  await load.more(300)
  await load.end()
  const [more, ...shares] = attempts()
  assert.equal(more, 0)
  assert.ok(spread(shares) <= 1, `the others share evenly: ${shares.join(', ')}`)
  const sick = p99(load.samples.filter(({ startedAt }) => startedAt >= slowAt && startedAt < leftAt))
  const recovered = p99(load.samples.filter(({ startedAt }) => startedAt >= leftAt))
  assert.ok(sick > twentyfold / 2, `it was felt: ${sick.toFixed(0)} ms`)
  assert.ok(recovered < twentyfold, `p99 is ${recovered.toFixed(0)} ms, after ${healthy.toFixed(0)} ms`)
  // The first slow answer comes after 400 ms.
  assert.ok(took - twentyfold < 2 * interval, `it took ${took.toFixed(0)} ms`)
  for (const { id } of backends.slice(1)) assert.deepEqual(app.healthCheck.of(id).history, [])
  assert.deepEqual(load.failed, [])
  t.diagnostic(
    `left out after ${took.toFixed(0)} ms (${veto!.reason}); p99 ${healthy.toFixed(0)} ms before, ` +
      `${sick.toFixed(0)} ms until then, ${recovered.toFixed(0)} ms after; 0 of ${load.samples.length} GETs failed`,
  )
})

import type { HealthCheckOptions } from '@fastify-balancer/health-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { startFourProcesses } from './backend-process.ts'
import { attemptsFromNow, noOutliers, noProbes, spread, startChecked, usedAgain, vetoed } from './checked-app.ts'

/** A GET that takes longer was held by the backend that has stopped (ms). */
const slow = 500

const ways: Record<string, { by: string; options: HealthCheckOptions }> = {
  probes: {
    by: 'health-check',
    options: { interval: 100, fastInterval: 100, timeout: 600, fall: 2, outliers: noOutliers },
  },
  'its traffic': {
    by: 'outlier-detection',
    options: {
      ...noProbes,
      // One of four at most: another process, if the machine does not let it run, may well look as if it had stopped.
      outliers: { interval: 500, ejectFor: 3000, jitter: 0, maxEjected: 0.25, latency: { atLeast: 150 } },
    },
  },
}

for (const [way, { by, options }] of Object.entries(ways)) {
  test(`a backend that accepts and never answers is found out by ${way} alone, and holds few`, async (t) => {
    const backends = await startFourProcesses(t)
    const { app, balancer, url, load } = await startChecked(t, {
      backends,
      healthCheck: options,
      circuitBreaker: false,
    })
    const victim = balancer.backend('a')
    load.begin(url)
    // Its times, and those of its peers, must be known.
    await load.more(300)
    await until('nobody is left alone', () => balancer.backends.every(({ vetoes }) => vetoes.length === 0))

    const sinceStop = attemptsFromNow(balancer)
    backends[0]!.stop()
    const took = await vetoed(victim, 60_000)
    assert.deepEqual(
      victim.vetoes.map((veto) => veto.by),
      [by],
    )
    const { inFlight: held } = victim
    const untilThen = sinceStop()
    const total = untilThen.reduce((sum, one) => sum + one, 0)
    assert.ok(untilThen[0]! <= total / 4 + 1, `until then it was sent its share: ${untilThen.join(', ')}`)
    const sinceVeto = attemptsFromNow(balancer)
    await load.more(100)
    await until('some have waited there for long', () => app.healthCheck.of('a').passive.longestWait > 2 * slow)
    const [more, ...shares] = sinceVeto()
    assert.deepEqual([more, victim.inFlight], [0, held], 'it is sent nothing more')
    assert.ok(spread(shares) <= 1, `the others share evenly: ${shares.join(', ')}`)

    backends[0]!.continue()
    const back = await usedAgain(victim)
    await load.end()
    assert.deepEqual(load.failed, [])
    const slowOnes = load.samples.filter(({ duration }) => duration > slow)
    assert.ok(slowOnes.length <= held, `${slowOnes.length} were slow, and ${held} were there`)
    t.diagnostic(
      `by ${way}: detected after ${took.toFixed(0)} ms, ${held} GETs were held there and ${slowOnes.length} of ` +
        `${load.samples.length} were slow, 0 failed; used again ${back.toFixed(0)} ms after it went on`,
    )
  })
}

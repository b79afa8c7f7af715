import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { attemptsFromNow, noOutliers, spread, startChecked, vetoed, type CheckedOptions } from './checked-app.ts'
import { startFourMoody } from './moody-backend.ts'

/** In ms. */
const slowStart = 2000

const checks: Record<string, Pick<CheckedOptions, 'healthCheck' | 'circuitBreaker'>> = {
  'the health check': {
    healthCheck: { interval: 100, fastInterval: 50, downInterval: 100, outliers: noOutliers },
    circuitBreaker: false,
  },
  'the circuit breaker': { healthCheck: false, circuitBreaker: { openFor: 300 } },
}

for (const [name, check] of Object.entries(checks)) {
  test(`with ${name} and slowStart, a backend that comes back gets its share bit by bit`, async (t) => {
    const backends = await startFourMoody(t)
    const { app, balancer, url, load } = await startChecked(t, { backends, core: { slowStart }, ...check })
    const victim = balancer.backend('a')
    const state = () => (check.circuitBreaker === false ? 'closed' : app.circuitBreaker.of('a').state)
    load.begin(url)
    await load.more(40)
    await backends[0]!.down()
    await vetoed(victim)
    await backends[0]!.up()
    await until('it is trusted again', () => victim.vetoes.length === 0 && state() === 'closed')

    const beganAt = performance.now()
    const shareOf = (attempts: readonly number[]) => attempts[0]! / attempts.reduce((sum, one) => sum + one, 0)
    const weights: number[] = [victim.effectiveWeight]
    const watch = () => {
      const { effectiveWeight } = victim
      if (effectiveWeight !== weights.at(-1)) weights.push(effectiveWeight)
      return effectiveWeight
    }
    const early = attemptsFromNow(balancer)
    await until('it has half of its weight', () => watch() >= 0.5)
    const earlyShare = shareOf(early())
    const late = attemptsFromNow(balancer)
    await until('it has all of its weight', () => watch() === 1)
    const lateShare = shareOf(late())
    const took = performance.now() - beganAt

    assert.ok(weights[0]! < 0.2, `it begins with ${weights[0]}`)
    assert.deepEqual(
      weights,
      [...weights].sort((a, b) => a - b),
    )
    assert.ok(weights.length >= 5, `only ${weights.length} steps`)
    assert.ok(took > slowStart * 0.8, `it took ${took.toFixed(0)} ms`)
    // On average 0.3 of its weight against three whole ones, then 0.75.
    assert.ok(earlyShare < 0.15, `its share at first: ${earlyShare.toFixed(3)}`)
    assert.ok(lateShare > earlyShare && lateShare < 0.25, `its share then: ${lateShare.toFixed(3)}`)

    const whole = attemptsFromNow(balancer)
    await load.more(100)
    await load.end()
    const shares = whole()
    assert.ok(spread(shares) <= 1, `shares: ${shares.join(', ')}`)
    assert.deepEqual(load.failed, [])
    t.diagnostic(
      `${name}: ${weights.length} steps from ${weights[0]} to 1 in ${took.toFixed(0)} ms; its share ` +
        `${(earlyShare * 100).toFixed(1)} % in the first half, ${(lateShare * 100).toFixed(1)} % in the second, ` +
        `then ${shares.join(', ')}; 0 of ${load.samples.length} GETs failed`,
    )
  })
}

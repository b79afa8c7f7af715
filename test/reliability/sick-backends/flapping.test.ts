import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import {
  attemptsFromNow,
  noProbes,
  spread,
  startChecked,
  vetoed,
  type CheckedApp,
  type CheckedOptions,
} from './checked-app.ts'
import { startFourMoody } from './moody-backend.ts'

interface Check {
  readonly options: Pick<CheckedOptions, 'healthCheck' | 'circuitBreaker'>
  /** For how long it is to be left alone each time, in ms. */
  readonly expected: readonly number[]
  /** For how long it will be, as its veto says. */
  readonly lasts: (evidence: Record<string, number>, app: CheckedApp['app']) => number
  /** How often a backend was left alone. */
  readonly times: (app: CheckedApp['app'], id: string) => number
}

const checks: Record<string, Check> = {
  'the health check': {
    options: {
      healthCheck: { ...noProbes, outliers: { ejectFor: 300, jitter: 0 } },
      circuitBreaker: false,
    },
    // n times as long the nth time.
    expected: [300, 600, 900],
    lasts: ({ until: end }, app) => end! - app.healthCheck.of('a').history[0]!.at,
    times: (app, id) => app.healthCheck.of(id).passive.timesEjected,
  },
  'the circuit breaker': {
    options: { healthCheck: false, circuitBreaker: { openFor: 1200, growth: 2, jitter: 0 } },
    // Doubled each time, unless it is well for as long as its circuit was open.
    expected: [1200, 2400],
    lasts: ({ lasts }) => lasts!,
    times: (app, id) => app.circuitBreaker.of(id).openings,
  },
}

for (const [name, { options, expected, lasts, times }] of Object.entries(checks)) {
  test(`with ${name}, a backend that flaps is left alone for longer each time, and nobody else is`, async (t) => {
    const backends = await startFourMoody(t)
    const [flapping] = backends
    const { app, balancer, url, load } = await startChecked(t, { backends, ...options })
    const victim = balancer.backend('a')
    const others = balancer.backends.slice(1)
    load.begin(url)
    await load.more(100)

    const attempts = attemptsFromNow(balancer)
    const alone: number[] = []
    const said: number[] = []
    for (let phase = 0; phase < expected.length; phase++) {
      await flapping!.down()
      await vetoed(victim)
      const { since, evidence } = victim.vetoes[0]!
      said.push(lasts(evidence as Record<string, number>, app))
      assert.equal(times(app, 'a'), phase + 1)
      await flapping!.up()
      const received = flapping!.received
      await until('it is sent something again', () => flapping!.received > received, 20_000)
      alone.push(Date.now() - since)
      await until('it is trusted again', () => victim.vetoes.length === 0 && victim.inFlight === 0)
    }
    for (const [index, duration] of expected.entries()) {
      // Its veto tells how much is left, which was worked out a moment later.
      assert.ok(said[index]! <= duration && said[index]! > duration - 50, `${said[index]} ms, not ${duration} ms`)
      assert.ok(alone[index]! > duration - 5, `${alone[index]!.toFixed(0)} ms is less than ${duration} ms`)
    }
    const [, ...shares] = attempts()
    await load.end()
    // In turn, whoever is between them.
    assert.ok(spread(shares) <= 1, `the others share evenly: ${shares.join(', ')}`)
    for (const { id, vetoes } of others) assert.deepEqual([times(app, id), vetoes], [0, []])
    assert.deepEqual(load.failed, [])
    t.diagnostic(
      `${name}: left alone for ${alone.map((duration) => duration.toFixed(0)).join(', ')} ms; ` +
        `the others got ${shares.join(', ')} GETs; 0 of ${load.samples.length} failed`,
    )
  })
}

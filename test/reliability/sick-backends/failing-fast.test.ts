import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { attemptsFromNow, noProbes, startChecked, type CheckedOptions } from './checked-app.ts'
import { startFourMoody } from './moody-backend.ts'
import type { Sample } from './steady-load.ts'

const checks: Record<string, Pick<CheckedOptions, 'healthCheck' | 'circuitBreaker'>> = {
  'the health check': { healthCheck: { ...noProbes, outliers: { interval: 500 } }, circuitBreaker: false },
  'the circuit breaker': { healthCheck: false, circuitBreaker: { statuses: [500, 502, 503, 504], openFor: 500 } },
}

const failed = ({ status }: Sample) => status === 500

for (const policy of ['p2c', 'least-requests'] as const) {
  for (const [name, check] of Object.entries(checks)) {
    test(`under ${policy} with ${name}, a backend that fails fast draws no traffic`, async (t) => {
      const backends = await startFourMoody(t, { delay: 20 })
      const { app, balancer, url, load } = await startChecked(t, { backends, core: { policy }, ...check })
      const victim = balancer.backend('a')
      load.begin(url, 3)
      await load.more(100)

      backends[0]!.mood = { status: 500, delay: 1 }
      const before = backends[0]!.received
      await until('a client has seen it fail', () => load.samples.some(failed))
      const first = load.samples.find(failed)!
      const noticedAt = first.startedAt + first.duration
      // Windows of 100: soon less than 2 % of each go there, since failures count as load, and then as the checks see to it.
      const shareOfNext = async () => {
        const attempts = attemptsFromNow(balancer)
        await load.more(100)
        const shares = attempts()
        return shares[0]! / shares.reduce((sum, share) => sum + share, 0)
      }
      while ((await shareOfNext()) >= 0.02) assert.ok(performance.now() - noticedAt < 2000, 'its share does not fall')
      const took = performance.now() - noticedAt
      assert.ok(took < 2000, `its share did not fall within 2 s: ${took.toFixed(0)} ms`)
      await until('there is a veto on it', () => victim.vetoes.length > 0)
      await until('what was under way there is over', () => victim.inFlight === 0)
      const atFirst = backends[0]!.received - before
      for (let window = 0; window < 2; window++) {
        const share = await shareOfNext()
        assert.ok(share < 0.02, `window ${window}: it was sent ${(100 * share).toFixed(1)} %`)
      }
      await load.end()
      const errors = load.samples.filter(failed).length
      // Each time that a circuit is half-open, it lets one through.
      const trials = check.circuitBreaker === false ? 0 : app.circuitBreaker.of('a').openings - 1
      assert.ok(errors <= atFirst + trials + 1, `${errors} GETs failed, ${atFirst} at first; ${trials} trials`)
      assert.ok(atFirst <= 15, `${atFirst} GETs failed before it was left alone`)
      assert.equal(load.failed.length, errors)
      for (const backend of balancer.backends.slice(1)) assert.deepEqual(backend.vetoes, [])
      t.diagnostic(
        `${policy}, ${name}: below 2 % ${took.toFixed(0)} ms after its first error, ${atFirst} GETs sent there until its veto, ` +
          `${errors} of all ${load.samples.length} GETs failed`,
      )
    })
  }
}

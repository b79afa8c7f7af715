import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../support/until.ts'
import { noProbes, startChecked, type CheckedOptions } from './checked-app.ts'
import { startFourMoody } from './moody-backend.ts'
import type { Sample } from './steady-load.ts'

// What else may befall its peers on a busy machine is not the point.
const outliers = { interval: 500, latency: { factor: 0 } }
const checks: Record<string, Pick<CheckedOptions, 'healthCheck' | 'circuitBreaker'>> = {
  'the health check': { healthCheck: { ...noProbes, outliers }, circuitBreaker: false },
  'the circuit breaker': { healthCheck: false, circuitBreaker: { statuses: [500, 502, 503, 504], openFor: 500 } },
}

interface Started {
  /** Of `performance.now`, in ms. */
  readonly at: number
  readonly id: string
}

/** From when on less than 2 of 100 attempts in a row go to the backend. */
function belowTwoPercent(attempts: readonly Started[], victim: string): number {
  const from = attempts.findIndex((_, index) => {
    const next = attempts.slice(index, index + 100)
    return next.filter(({ id }) => id === victim).length < 2
  })
  return attempts[from]!.at
}

const failed = ({ status }: Sample) => status === 500

// Two at once: they wait more than they work.
describe('a backend that fails fast draws no traffic', { concurrency: 2 }, () => {
  for (const policy of ['p2c', 'least-requests'] as const) {
    for (const [name, check] of Object.entries(checks)) {
      test(`under ${policy} with ${name}`, async (t) => {
        const backends = await startFourMoody(t, { delay: 20 })
        const { app, balancer, url, load } = await startChecked(t, { backends, core: { policy }, ...check })
        const victim = balancer.backend('a')
        const attempts: Started[] = []
        balancer.addHook(
          'onAttemptStart',
          ({ backend }) => void attempts.push({ at: performance.now(), id: backend.id }),
        )
        load.begin(url, 3)
        await load.more(100)

        backends[0]!.mood = { status: 500, delay: 1 }
        await until('a client has seen it fail', () => load.samples.some(failed))
        const first = load.samples.find(failed)!
        const noticedAt = first.startedAt + first.duration
        // From 2 s on, whatever the machine did meanwhile: failures count as load, and then the checks leave it alone.
        await until('2 s are over', () => performance.now() - noticedAt >= 2000)
        await load.more(300)
        await until('there is a veto on it', () => victim.vetoes.length > 0)
        await load.end()
        const later = attempts.filter(({ at }) => at - noticedAt >= 2000)
        const share = later.filter(({ id }) => id === victim.id).length / later.length
        assert.ok(share < 0.02, `it is still sent ${(100 * share).toFixed(1)} %`)
        const errors = load.samples.filter(failed).length
        // Each time that a circuit is half-open, it lets one through.
        const trials = check.circuitBreaker === false ? 0 : app.circuitBreaker.of(victim.id).openings
        assert.ok(errors - trials <= 15, `${errors} GETs failed, with ${trials} trials`)
        assert.equal(load.failed.length, errors)
        for (const backend of balancer.backends.slice(1)) assert.deepEqual(backend.vetoes, [])
        const took =
          belowTwoPercent(attempts.slice(attempts.findIndex(({ at }) => at >= noticedAt)), victim.id) - noticedAt
        t.diagnostic(
          `${policy}, ${name}: below 2 % ${took.toFixed(0)} ms after its first error, ${(100 * share).toFixed(1)} % from 2 s on; ` +
            `${errors} of all ${load.samples.length} GETs failed, ${trials} of them at most were trials`,
        )
      })
    }
  }
})
